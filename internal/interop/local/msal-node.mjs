// A web application that signs users in with msal-node, calls the API for them, and renews their tokens from its cache.
import { createServer } from "node:http";
import { ConfidentialClientApplication, CryptoProvider } from "@azure/msal-node";

const env = process.env;
const api = env.API_URL ?? "http://localhost:8080/orders";
const page = env.PAGE_URL ?? "http://localhost:3000";
const request = { redirectUri: `${page}/auth/callback`, scopes: [env.API_SCOPE] };

const client = new ConfidentialClientApplication({
  auth: {
    clientId: env.AZURE_CLIENT_ID,
    clientSecret: env.AZURE_CLIENT_SECRET,
    authority: `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}`,
    // Leads to the tenant on this machine by its endpoints; undefined in production.
    authorityMetadata: env.ENTRA_METADATA && (await (await fetch(env.ENTRA_METADATA)).text()),
  },
});
const pending = new Map(); // by state; in production, keep the verifier in the user's session

async function signIn() {
  const crypto = new CryptoProvider();
  const { verifier, challenge } = await crypto.generatePkceCodes();
  const state = crypto.createNewGuid();
  pending.set(state, verifier);
  return client.getAuthCodeUrl({ ...request, state, codeChallenge: challenge, codeChallengeMethod: "S256" });
}

async function signedIn(url) {
  const state = url.searchParams.get("state");
  const code = url.searchParams.get("code");
  const { account } = await client.acquireTokenByCode({ ...request, code, codeVerifier: pending.get(state) });
  const { accessToken } = await client.acquireTokenSilent({ ...request, account, forceRefresh: true });
  const orders = await fetch(api, { headers: { authorization: `Bearer ${accessToken}` } });
  return `${account.name}: ${orders.status} ${await orders.text()}`;
}

createServer(async (request, response) => {
  const url = new URL(request.url, page);
  response.setHeader("content-type", "text/plain; charset=utf-8");
  try {
    if (url.pathname === "/auth/callback") response.end(await signedIn(url));
    else response.writeHead(302, { location: await signIn() }).end();
  } catch (error) {
    response.writeHead(500).end(`${error}`);
  }
}).listen(new URL(page).port, "localhost");
