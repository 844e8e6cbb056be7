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
    if (link && isOfBackend(link)) event.stopPropagation();
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
