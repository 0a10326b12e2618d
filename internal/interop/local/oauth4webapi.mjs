// A web application that signs users in with oauth4webapi, calls the API for them, and renews their tokens.
import { createServer } from "node:http";
import * as oauth from "oauth4webapi";

const env = process.env;
const issuer = new URL(env.ENTRA_ISSUER ?? `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}/v2.0`);
const api = env.API_URL ?? "http://localhost:8080/orders";
const page = env.PAGE_URL ?? "http://localhost:3000";
const redirect_uri = `${page}/auth/callback`;

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const client = { client_id: env.AZURE_CLIENT_ID };
const secret = oauth.ClientSecretPost(env.AZURE_CLIENT_SECRET);
const pending = new Map(); // by state: what the answer is checked with; in production, keep it in the user's session

async function signIn() {
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
  pending.set(state, { verifier, nonce });
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    ...client,
    redirect_uri,
    response_type: "code",
    scope: `openid profile offline_access ${env.API_SCOPE}`,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  return url;
}

async function signedIn(url) {
  const state = url.searchParams.get("state");
  const { verifier, nonce: expectedNonce } = pending.get(state);
  const parameters = oauth.validateAuthResponse(as, client, url, state);
  const answer = await oauth.authorizationCodeGrantRequest(as, client, secret, parameters, redirect_uri, verifier);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, answer); // the ID token's, with the tenant's keys
  const renewal = await oauth.refreshTokenGrantRequest(as, client, secret, tokens.refresh_token);
  const renewed = await oauth.processRefreshTokenResponse(as, client, renewal);
  const orders = await oauth.protectedResourceRequest(renewed.access_token, "GET", new URL(api), undefined, undefined,
    { [oauth.allowInsecureRequests]: true }); // the API on this machine has no certificate
  return `${oauth.getValidatedIdTokenClaims(tokens).name}: ${orders.status} ${await orders.text()}`;
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
