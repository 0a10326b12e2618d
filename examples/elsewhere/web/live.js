// openSocket opens a WebSocket that shows the token as a subprotocol. The server selects orders.v1 and never answers with
// the token. When the token has expired the socket closes with 1008: get a new token and open it again.
export function openSocket(token, onOrder) {
  const socket = new WebSocket("/socket", ["orders.v1", "bearer." + token]);
  socket.onmessage = (message) => onOrder(message.data);
  return socket;
}

// readEvents reads server-sent events with fetch, because EventSource cannot set a header. It ends when the token has
// expired, or when signal says so.
export async function readEvents(token, onOrder, signal) {
  const response = await fetch("/events", { headers: { Authorization: "Bearer " + token }, signal });
  if (!response.ok) {
    throw new Error(`${response.status} ${response.headers.get("WWW-Authenticate")}`);
  }
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split("\n\n");
    text = events.pop();
    for (const event of events) {
      onOrder(event.replace(/^data: /, ""));
    }
  }
}
