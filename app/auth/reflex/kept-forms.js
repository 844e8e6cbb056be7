// Part of reflex-oidc: keeps what the user typed into this page while the browser is away for a
// login or a step-up, and puts it back after the return. In the storage of this tab only.
(() => {
  const STORED = "auth_form";
  const LIFETIME = 15 * 60 * 1000; // milliseconds
  const PATIENCE = 20 * 1000; // for fields that are shown late
  const MOST = 100; // fields
  const LARGEST = 100_000; // characters, all together
  const FIELDS = "input, textarea, select";
  const VISITOR = "visitor";
  const NEVER = new Set(["button", "file", "hidden", "image", "password", "reset", "submit"]);
  const SECRET = /\b(off|one-time-code|current-password|new-password|cc-[a-z-]+)\b/;

  // The fields that the user touched, by `keyOf`: { field, path, owner, value }. React may have
  // removed or emptied a field since: with the end of a session, its page and its State go.
  const typed = new Map();
  const passwords = new WeakSet(); // also after "show password", which makes a text of it

  const { owner, typist } = globalThis.reflexOidc;
  const here = () => location.pathname.replace(/\/+$/, "") + location.search;
  const isLogin = (url) => /\/auth\/login$/.test(url.pathname);
  const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

  function isKept(field) {
    const autocomplete = field.getAttribute("autocomplete");
    return !(
      NEVER.has(field.type) ||
      passwords.has(field) ||
      field.closest('[data-auth-keep="no"], [data-auth-draft]') || // drafts.js has the latter
      SECRET.test(autocomplete ?? field.form?.getAttribute("autocomplete") ?? "")
    );
  }

  function describe(field) {
    if (!field.name && !field.id) return null;
    const value = isChoice(field) ? field.value : "";
    return [field.tagName, isChoice(field) ? field.type : "", field.name, field.id, value].join("\n");
  }

  const alike = (description) =>
    [...document.querySelectorAll(FIELDS)].filter((each) => describe(each) === description);

  function keyOf(field) {
    const description = describe(field);
    return description && `${alike(description).indexOf(field)}\n${description}`;
  }

  function find(key) {
    const end = key.indexOf("\n");
    return alike(key.slice(end + 1))[Number(key.slice(0, end))];
  }

  function valueOf(field) {
    if (isChoice(field)) return field.checked;
    if (field.multiple && field.options) return [...field.selectedOptions].map((each) => each.value);
    return field.value;
  }

  function note({ target: field }) {
    if (!(field instanceof Element) || !field.matches(FIELDS)) return;
    if (field.type === "password") passwords.add(field);
    const key = isKept(field) && keyOf(field);
    if (key) typed.set(key, { field, path: here(), owner: typist(), value: valueOf(field) });
  }

  // An app empties a field when its text has been sent. As long as the login is the same, what is
  // in the field counts, not what was typed.
  function look() {
    const now = owner();
    for (const [key, each] of typed) {
      if (each.owner === now && each.path === here()) each.value = valueOf(find(key) ?? each.field);
    }
  }

  function keep() {
    const now = owner();
    look();
    const fields = new Map(read()?.path === here() ? read().fields.map((each) => [each[0], each]) : []);
    for (const [key, { field, path, owner: by, value }] of typed) {
      // Text of an earlier user, in a page that has another one since, is nobody else's to have.
      // Unless that is not known at present: it is kept for the one who typed it.
      const isTheirs = !now || now === VISITOR || by === VISITOR || by === now;
      if (path !== here() || !isTheirs || !isKept(field)) continue;
      fields.set(key, [key, value, !now || now === VISITOR ? by : now]);
    }
    // With nothing typed here, the form of another page waits on.
    if (fields.size) write({ path: here(), at: Date.now(), fields: [...fields.values()] });
  }

  function write(kept) {
    try {
      const text = JSON.stringify(kept);
      if (!kept.fields.length) sessionStorage.removeItem(STORED);
      else if (kept.fields.length <= MOST && text.length <= LARGEST) sessionStorage.setItem(STORED, text);
    } catch {
      // No storage: the form is lost, as it is without this script.
    }
  }

  function read() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(STORED));
      if (!kept) return null;
      if (Date.now() - kept.at < LIFETIME && Array.isArray(kept.fields)) return kept;
      sessionStorage.removeItem(STORED);
    } catch {
      // Not ours, or no storage.
    }
    return null;
  }

  // React sets `value` of the element itself, so that only the setter of its class is seen as an
  // input. It takes a click for a change of a checkbox.
  function put(field, value) {
    if (isChoice(field)) {
      if (field.checked !== value) field.click();
      return;
    }
    if (Array.isArray(value)) {
      for (const option of field.options ?? []) option.selected = value.includes(option.value);
    } else {
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, value);
    }
    for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
    field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  }

  function restore() {
    const kept = read();
    if (kept?.path !== here()) return;
    setTimeout(read, kept.at + LIFETIME - Date.now()); // which removes it
    let end;
    const observer = new MutationObserver(() => {
      const now = owner();
      if (!now || Date.now() - kept.at > LIFETIME) return;
      end ??= setTimeout(() => observer.disconnect(), PATIENCE);
      // Another user's text is dropped. A visitor may be its user before the login.
      let waiting = kept.fields.filter(([, , by]) => by === VISITOR || by === now || now === VISITOR);
      const isMissing = waiting.length < kept.fields.length;
      const ready = waiting.filter(([key, , by]) => (by === VISITOR || by === now) && find(key));
      waiting = waiting.filter((each) => !ready.includes(each));
      if (!ready.length && !isMissing) return;
      kept.fields = waiting;
      write(kept); // before the events: each field is put back once
      for (const [key, value] of ready) {
        const field = find(key);
        if (!typed.has(key) && isKept(field) && !field.disabled && !field.readOnly) put(field, value);
      }
      if (!waiting.length) observer.disconnect();
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  }

  addEventListener("input", note, true);
  addEventListener("change", note, true);
  addEventListener("auth-leave", keep); // from `go_to_login`
  addEventListener(
    "click",
    (event) => {
      const link = event.target instanceof Element && event.target.closest("a[href]");
      look();
      // A popup leaves the page as it is.
      if (link && isLogin(link) && !("authPopup" in link.dataset)) keep();
    },
    true,
  );
  addEventListener(
    "submit",
    (event) => isLogin(new URL(event.target.getAttribute("action") ?? "", location)) && keep(),
    true,
  );
  globalThis.navigation?.addEventListener("navigate", (event) => {
    if (isLogin(new URL(event.destination.url))) keep(); // `rx.redirect`
  });
  restore();
})();
