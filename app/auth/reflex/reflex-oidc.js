// Part of reflex-oidc: what the auth layer needs in the browser. It sees no token and no cookie.
(() => {
  // A page restored from the back-forward cache may show a session that has ended: reload it.
  addEventListener("pageshow", (event) => event.persisted && location.reload());

  // The backend answers these addresses, and the app's router has no page for them. In production,
  // where both are one origin, the router would take them for pages of its own.
  const isOfBackend = (url) =>
    url.origin === location.origin && /\/auth\/(login|logout)$/.test(url.pathname);

  // A link: keep the click from the router, and the browser follows the link as it does any other.
  addEventListener(
    "click",
    (event) => {
      const link = event.target instanceof Element && event.target.closest("a[href]");
      if (!link) return;
      if ("authPopup" in link.dataset && isLogin(link) && isPlain(event)) {
        event.preventDefault();
        event.stopPropagation();
        openPopup(link);
      } else if (isLogin(link) && isPlain(event) && !link.target && location.hash) {
        event.preventDefault();
        event.stopPropagation();
        location.assign(withHash(link.href));
      } else if (isOfBackend(link)) event.stopPropagation();
    },
    true,
  );

  // The fragment of an address never reaches the server: a login that returns to this page returns
  // to this place in it.
  function withHash(url) {
    const login = new URL(url, location); // a path, where there are several base URLs
    const back = login.searchParams.get("return_to") ?? "";
    const { pathname, search, hash } = location;
    const paths = [pathname, pathname.replace(/\/$/, "")]; // file servers add a slash
    const isHere = paths.some((path) => (path + search).endsWith(back));
    if (!hash || !back || back.includes("#") || !isHere) return url;
    login.searchParams.set("return_to", back + hash);
    return login.href;
  }

  // `localhost` and `127.0.0.1` are one machine and two sites: the backend answers to one of them.
  const own = document.querySelector("script[data-origin]")?.dataset.origin;
  if (own && own !== location.origin) {
    const { hostname, port } = new URL(own);
    const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);
    if (isLoopback && hostname !== location.hostname && port === location.port)
      location.replace(own + location.pathname + location.search + location.hash);
  }

  // `rx.redirect`: load the document instead. Browsers without the Navigation API show "not found".
  globalThis.navigation?.addEventListener("navigate", (event) => {
    const { sameDocument, url } = event.destination;
    if (sameDocument && event.cancelable && isOfBackend(new URL(url))) {
      event.preventDefault();
      location.assign(url);
    }
  });

  // A login in a window of its own. The websocket tells this page of the login, so the two windows
  // need not know each other: `opener` is cut before the provider's page is there.
  const isLogin = (link) => /^https?:/.test(link.protocol) && /\/auth\/login$/.test(link.pathname);

  const isPlain = (event) =>
    event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

  const SIZE = { width: 480, height: 720 };

  function openPopup(link) {
    const url = new URL(link.href);
    url.searchParams.set("display", "popup");
    const left = Math.max(0, screenX + (outerWidth - SIZE.width) / 2);
    const top = Math.max(0, screenY + (outerHeight - SIZE.height) / 2);
    const place = `width=${SIZE.width},height=${SIZE.height},left=${left},top=${top}`;
    const popup = open("about:blank", "_blank", `popup,${place}`); // null if the browser blocks it
    if (!popup) return fallBack(link);
    popup.opener = null;
    popup.location.replace(url);
  }

  const TO_READ = 2500; // milliseconds

  function fallBack(link) {
    if (document.querySelector(".auth-notice")) return;
    const notice = document.createElement("p");
    notice.className = "auth-notice";
    notice.setAttribute("role", "alert");
    notice.textContent = link.dataset.authPopup;
    document.body.append(notice);
    setTimeout(() => location.assign(link.href), TO_READ);
  }

  // A silent login, once in each tab. Not where the browser cannot remember that, and not after the
  // user has begun to use the page. The browser keeps the fragment over the redirects.
  function silentLogin(url) {
    const attempted = `auth_silent_login ${new URL(url, location).pathname}`;
    try {
      if (navigator.userActivation?.hasBeenActive || sessionStorage.getItem(attempted)) return;
      sessionStorage.setItem(attempted, "yes");
    } catch {
      return;
    }
    location.replace(url + location.hash);
  }

  // Whom this tab shows: the tag of a user, "visitor", or "" until that is known and while sessions
  // cannot be read.
  const owner = () => document.querySelector('meta[name="auth-owner"]')?.content ?? "";

  // Who types: if that is not known, the one whom this tab showed last, and no later user.
  let lastOwner = "";
  function typist() {
    lastOwner = owner() || lastOwner;
    try {
      return lastOwner || sessionStorage.getItem("auth_storage_owner") || "visitor";
    } catch {
      return lastOwner || "visitor";
    }
  }
  new MutationObserver(typist).observe(document, { subtree: true, childList: true, attributes: true });

  globalThis.reflexOidc = { silentLogin, withHash, owner, typist };

  // <auth-expiry>, of `auth.expiry_warning()`: shows its bar in the last minute of the session. The
  // attribute `data-expires-at` (epoch seconds) only says when to ask the backend: another tab may
  // have used the session, and this machine's clock may be wrong. To ask does not count as use.
  const WARN = 60; // seconds
  const ASK = 5; // seconds between two questions while the bar is shown
  const LONGEST = 86400; // seconds; a timer cannot wait for more than 24 days

  class AuthExpiry extends HTMLElement {
    static observedAttributes = ["data-expires-at"];

    connectedCallback() {
      // The focus goes back to where it was when the bar goes.
      this.addEventListener("focusin", ({ relatedTarget }) => {
        if (relatedTarget && !this.contains(relatedTarget)) this.cameFrom = relatedTarget;
      });
      this.attributeChangedCallback();
    }

    disconnectedCallback() {
      clearTimeout(this.timer);
    }

    attributeChangedCallback() {
      if (!this.isConnected) return;
      this.isOver = false;
      if (this.hasAttribute("open")) this.ask();
      else this.wait(Number(this.dataset.expiresAt) - Date.now() / 1000);
    }

    // Half of the time that seems to be left: then a clock that is wrong is found out early enough.
    wait(left) {
      const seconds = left > 2 * WARN ? Math.min(left / 2, LONGEST) : Math.max(left - WARN, 1);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), seconds * 1000);
    }

    async ask() {
      let answer, times;
      try {
        answer = await fetch(this.dataset.sessionUrl, { credentials: "include" });
        times = answer.ok && (await answer.json());
      } catch {} // the backend is away: ask again
      if (!this.isConnected) return;
      if (answer?.status === 401) this.over();
      else if (!times) this.wait(WARN + ASK);
      else if (times.expires_in > WARN) {
        this.hide();
        this.wait(times.expires_in);
      } else {
        this.show(times);
        this.wait(WARN + Math.min(ASK, times.expires_in));
      }
    }

    show({ expires_in, ends_in }) {
      const at = new Date(Date.now() + expires_in * 1000);
      const time = at.toLocaleTimeString(this.lang || undefined, { timeStyle: "short" });
      const text = this.dataset.text.replace("{time}", time);
      this.toggleAttribute("final", ends_in - expires_in < WARN); // to stay would not help
      if (this.hasAttribute("open")) return; // a text that changed would be read out again
      this.toggleAttribute("open", true);
      this.querySelector("[role=status]").textContent = text;
    }

    hide() {
      if (this.contains(document.activeElement)) this.cameFrom?.focus();
      this.toggleAttribute("open", false);
      this.querySelector("[role=status]").textContent = "";
    }

    over() {
      this.hide();
      if (!this.isOver) this.querySelector(".auth-over").click();
      this.isOver = true;
    }
  }
  customElements.define("auth-expiry", AuthExpiry);
})();
