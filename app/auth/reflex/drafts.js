// Part of reflex-oidc: keeps the text of `auth.draft_field` while it is typed, and gives it to the
// app again (`auth.draft`) if the State that it was typed into is gone: after a lost connection, a
// restart of the backend, a page load, or a login in between. In the storage of this tab only, and
// for one user.
(() => {
  const STORED = "auth_drafts";
  const LOGGED_OUT = "auth_logged_out"; // in localStorage: when a user of this browser logged out
  const LIFETIME = 15 * 60 * 1000; // milliseconds without its user, or away from this app
  const LARGEST = 200_000; // characters, all together
  const VISITOR = "visitor";
  const { owner, typist } = globalThis.reflexOidc;

  const isKept = (field) => field.type !== "password" && !field.closest('[data-auth-keep="no"]');

  // Of a form: its fields, as a JSON object.
  function textOf(field) {
    if (!field.elements) return field.value;
    const data = new FormData(field);
    for (const each of field.elements) isKept(each) || data.delete(each.name);
    return JSON.stringify(Object.fromEntries(data));
  }

  // By form of `auth.draft`: the user, and the state tree behind the tab, that it asked for. With
  // another tree, or as a new element, it asks again: the State that was typed into may be gone.
  const places = new WeakMap();
  const asked = new WeakSet(); // without an answer yet

  // What is left of the texts. Another user's is dropped. A visitor may be its user before the
  // login. A visitor's text is for the user who logs in next in this tab: it was typed here.
  function read() {
    try {
      const now = owner();
      const all = JSON.parse(sessionStorage.getItem(STORED)) ?? {};
      const end = Number(localStorage.getItem(LOGGED_OUT));
      const isLeft = ([, { at, by, leftAt }]) =>
        at > end &&
        !(Date.now() - leftAt > LIFETIME) &&
        (!now || by === now || [by, now].includes(VISITOR));
      return Object.fromEntries(Object.entries(all).filter(isLeft));
    } catch {
      return {}; // not ours, or no storage
    }
  }

  function write(drafts) {
    try {
      const text = JSON.stringify(drafts);
      if (text === "{}" || text.length > LARGEST) sessionStorage.removeItem(STORED);
      else sessionStorage.setItem(STORED, text);
    } catch {
      // No storage: the text is lost, as it is without this script.
    }
  }

  function note({ target }) {
    const field = target instanceof Element && target.closest("[data-auth-draft]");
    if (!field || !isKept(target)) return;
    const text = textOf(field);
    const since = field.dataset.authDraftSince ?? "";
    const draft = { text, since, by: typist(), at: Date.now() };
    put(field.dataset.authDraft, text === since ? undefined : draft);
  }

  // JSON has no `undefined`: without a draft, that of this name is dropped.
  const put = (name, draft) => write({ ...read(), [name]: draft });

  // For as long as its user is away, a text waits for a quarter of an hour.
  function leave(isAway) {
    const drafts = read();
    for (const each of Object.values(drafts)) {
      if (isAway) each.leftAt ??= Date.now();
      else delete each.leftAt;
    }
    write(drafts);
  }

  const forms = () => document.querySelectorAll("form[data-auth-draft-of]");

  function draftOf(form) {
    const draft = read()[form.dataset.authDraftOf];
    return draft && [owner(), VISITOR].includes(draft.by) && draft;
  }

  // The answer arrives after those to all that the page sent before. A save or a cancel among them
  // has dropped its text by then.
  function ask(now) {
    for (const form of forms()) {
      const place = `${form.dataset.authTree} ${now}`;
      if (places.get(form) === place) continue;
      places.set(form, place);
      if (!draftOf(form)) continue;
      asked.add(form);
      form.querySelector("button").click();
    }
  }

  function give() {
    for (const form of forms()) {
      const draft = owner() && asked.delete(form) && draftOf(form);
      if (!draft) continue;
      const { text, since } = form.elements;
      [text.value, since.value] = [draft.text, draft.since];
      form.requestSubmit(); // React sends the event
      text.value = since.value = "";
    }
  }

  let before = "";
  function look() {
    const now = owner();
    if (!now) return;
    if (now !== before) leave(now === VISITOR);
    before = now;
    ask(now);
  }

  addEventListener("input", note, true);
  addEventListener("pagehide", () => leave(true));
  // A logout ends the texts of every tab: those of this browser's other tabs are older than it.
  addEventListener(
    "submit",
    ({ target: form }) => {
      if (!/\/auth\/logout$/.test(new URL(form.getAttribute("action") ?? "", location).pathname)) return;
      write({});
      try {
        localStorage.setItem(LOGGED_OUT, Date.now());
      } catch {} // no storage
    },
    true,
  );
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  Object.assign(globalThis.reflexOidc, { forgetDraft: put, giveDrafts: give });
})();
