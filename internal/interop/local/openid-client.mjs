// A web application that signs users in with openid-client, calls the API for them, and renews their tokens.
import { createServer } from "node:http";
import * as client from "openid-client";

const env = process.env;
const issuer = env.ENTRA_ISSUER ?? `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}/v2.0`;
const api = env.API_URL ?? "http://localhost:8080/orders";
const page = env.PAGE_URL ?? "http://localhost:3000";
const redirect_uri = `${page}/auth/callback`;

const config = await client.discovery(new URL(issuer), env.AZURE_CLIENT_ID, env.AZURE_CLIENT_SECRET);
const pending = new Map(); // by state: what the answer is checked with; in production, keep it in the user's session

async function signIn() {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  pending.set(checks.expectedState, checks);
  return client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: `openid profile offline_access ${env.API_SCOPE}`,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  });
}

async function signedIn(url) {
  const checks = pending.get(url.searchParams.get("state"));
  const tokens = await client.authorizationCodeGrant(config, url, checks); // checks the ID token too
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  const orders = await fetch(api, { headers: { authorization: `Bearer ${renewed.access_token}` } });
  return `${tokens.claims().name}: ${orders.status} ${await orders.text()}`;
}

createServer(async (request, response) => {
  const url = new URL(request.url, page);
  response.setHeader("content-type", "text/plain; charset=utf-8");
  try {
    if (url.pathname === "/auth/callback") response.end(await signedIn(url));
    else response.writeHead(302, { location: (await signIn()).href }).end();
  } catch (error) {
    response.writeHead(500).end(`${error}`);
  }
}).listen(new URL(page).port, "localhost");
