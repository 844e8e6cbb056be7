// A page restored from the back-forward cache may show a session that has ended: reload it.
addEventListener("pageshow", (event) => event.persisted && location.reload());
