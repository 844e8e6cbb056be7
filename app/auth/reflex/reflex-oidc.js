// Part of reflex-oidc: what the auth layer needs in the browser. It sees no token and no cookie.

// A page restored from the back-forward cache may show a session that has ended: reload it.
addEventListener("pageshow", (event) => event.persisted && location.reload());

// The backend answers these addresses, and the app's router has no page for them. In production,
// where both are one origin, the router would take a link to them for one to a page: keep the click
// from it, and the browser follows the link as it does any other.
addEventListener(
  "click",
  (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href]");
    if (link && link.origin === location.origin && /\/auth\/(login|logout)$/.test(link.pathname)) {
      event.stopPropagation();
    }
  },
  true,
);
