// The log, kept up to date: the page itself is fetched again, and its table replaced.
const live = document.getElementById("live");
if (live) {
  setInterval(async () => {
    if (!live.checked || document.hidden) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [shown, fresh] = [document, page].map((each) => each.getElementById("entries"));
      if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceWith(fresh);
    } catch {
      // The tenant has ended; it may come back.
    }
  }, 1500);
}
