// Part of reflex-oidc: what the auth layer needs in the browser. It sees no token and no cookie.

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
    } else if (isOfBackend(link)) event.stopPropagation();
  },
  true,
);

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
  const attempted = `auth_silent_login ${new URL(url).pathname}`;
  try {
    if (navigator.userActivation?.hasBeenActive || sessionStorage.getItem(attempted)) return;
    sessionStorage.setItem(attempted, "yes");
  } catch {
    return;
  }
  location.replace(url + location.hash);
}

globalThis.reflexOidc = { silentLogin };
