// A client as the documentation of @modelcontextprotocol/sdk writes it: it connects, signs its user in when the server asks
// for it, and calls a tool. It prints what happened as JSON. The user is played by visit, which follows where a browser would.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [server, clientId, tool, given] = process.argv.slice(2);
const visited = [];

class Provider {
  redirectUrl = "http://localhost:3118/callback";
  clientMetadata = { client_name: "test", redirect_uris: [this.redirectUrl] };
  clientInformation() {
    return { client_id: clientId };
  }
  tokens() {
    return this.saved;
  }
  saveTokens(tokens) {
    this.saved = tokens;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
  async redirectToAuthorization(url) {
    visited.push(Object.fromEntries(url.searchParams));
    this.code = await visit(url);
  }
}

// In place of a click on the user's name in the account picker.
async function visit(url) {
  url.searchParams.set("login_hint", "alice");
  const response = await fetch(url, { redirect: "manual" });
  const sent = new URL(response.headers.get("location") ?? "http://nowhere/?error=" + response.status);
  if (sent.searchParams.has("error")) {
    throw new Error(`${sent.searchParams.get("error")}: ${sent.searchParams.get("error_description")}`);
  }
  return sent.searchParams.get("code");
}

const authProvider = new Provider();
const transportTo = () => new StreamableHTTPClientTransport(new URL(server), { authProvider });

// signedIn does what needs a token: where the server wants its user to sign in, for the first time or for more, once more.
async function signedIn(action) {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await transportTo().finishAuth(authProvider.code);
    return await action();
  }
}

try {
  const client = await signedIn(async () => {
    const client = new Client({ name: "test", version: "1" });
    await client.connect(transportTo());
    return client;
  });
  const result = await signedIn(() => client.callTool({ name: tool, arguments: JSON.parse(given ?? "{}") }));
  console.log(JSON.stringify({ text: result.content[0].text, visited }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error), visited }));
}
process.exit(); // the stream for messages of the server would go on
