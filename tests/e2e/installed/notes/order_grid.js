// Shows the user's orders, adds one, uploads a file and follows the events, each by a request of its own.
const OrderGrid = ({ url, events, files, fetcher }) => {
  const [orders, setOrders] = useState("");
  const [heard, setHeard] = useState([]);
  const show = async (target, options) => {
    const answer = await fetcher(target, options);
    const body = await answer.json();
    setOrders(answer.ok ? JSON.stringify(body) : `${answer.status} ${body.error}`);
  };
  const add = () =>
    show(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"item": "tea"}',
    });
  const upload = (event) => {
    const file = event.target.files[0];
    show(files + encodeURIComponent(file.name), { method: "PUT", body: file });
  };
  const follow = () => {
    const source = new EventSource(events);
    source.onmessage = ({ data }) => setHeard((all) => [...all, data]);
    source.onerror = () => setHeard((all) => [...all, `closed: ${source.readyState}`]);
  };
  useEffect(() => {
    show(url);
  }, [url]);
  const element = createElement;
  return element(
    "section",
    null,
    element("p", { id: "orders" }, orders),
    element("p", { id: "heard" }, heard.join(", ")),
    element("button", { onClick: () => show(url) }, "look"),
    element("button", { onClick: add }, "add"),
    element("button", { onClick: follow }, "follow"),
    element("input", { type: "file", id: "file", onChange: upload }),
  );
};
