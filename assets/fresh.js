// A page restored from the back-forward cache may show a session that has ended: load it anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());
