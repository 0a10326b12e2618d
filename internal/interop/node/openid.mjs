// OpenID Connect clients as their documentation writes them: each finds the issuer, signs a user in with PKCE, state and
// nonce, asks for userinfo and renews for the API's scope. Each refuses an issuer that is not where it was found. It
// reads what to do as JSON from standard input, and prints what came back.
import { text } from "node:stream/consumers";

const job = JSON.parse(await text(process.stdin));

// visit is the user's browser. The fake tenant signs in whom login_hint names, and asks nothing.
async function visit(url) {
  url.searchParams.set("login_hint", "alice");
  const response = await fetch(url, { redirect: "manual" });
  return new URL(response.headers.get("location") ?? (() => { throw new Error(`no redirect: ${response.status}`); })());
}

async function openidClient(authentication) {
  const client = await import("openid-client");
  const config = await client.discovery(new URL(job.issuer), job.clientId, undefined, client[authentication](job.clientSecret));
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const back = await visit(client.buildAuthorizationUrl(config, {
    redirect_uri: job.redirectUri,
    scope: job.scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
  }));
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce });
  const { sub, email, iss } = tokens.claims();
  const info = await client.fetchUserInfo(config, tokens.access_token, sub);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, { scope: `openid ${job.apiScope}` });
  const daemon = await client.clientCredentialsGrant(config, { scope: job.appScope });
  return { issuer: iss, email, infoEmail: info.email, user: renewed.access_token, app: daemon.access_token };
}

async function oauth4webapi() {
  const oauth = await import("oauth4webapi");
  const issuer = new URL(job.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
  const client = { client_id: job.clientId };
  const proof = oauth.ClientSecretBasic(job.clientSecret);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const expectedNonce = oauth.generateRandomNonce();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: job.clientId,
    redirect_uri: job.redirectUri,
    response_type: "code",
    scope: job.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce: expectedNonce,
  });
  const parameters = oauth.validateAuthResponse(as, client, await visit(url), state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, proof, parameters, job.redirectUri, verifier);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce, requireIdToken: true });
  const { sub, email, iss } = oauth.getValidatedIdTokenClaims(tokens);
  const info = await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token));
  const renewal = await oauth.refreshTokenGrantRequest(as, client, proof, tokens.refresh_token,
    { additionalParameters: { scope: `openid ${job.apiScope}` } });
  const renewed = await oauth.processRefreshTokenResponse(as, client, renewal);
  const own = await oauth.clientCredentialsGrantRequest(as, client, proof, { scope: job.appScope });
  const daemon = await oauth.processClientCredentialsResponse(as, client, own);
  return { issuer: iss, email, infoEmail: info.email, user: renewed.access_token, app: daemon.access_token };
}

// auth is Auth.js without a framework: it answers requests of a browser, whose cookies this keeps.
async function auth() {
  const { Auth } = await import("@auth/core");
  const { default: entra } = await import("@auth/core/providers/microsoft-entra-id");
  const settings = { clientId: job.clientId, clientSecret: job.clientSecret, issuer: job.issuer };
  let claims;
  const config = {
    secret: "0123456789abcdef0123456789abcdef",
    trustHost: true,
    basePath: "/auth",
    logger: { error: (error) => { throw error; }, warn() {}, debug() {} },
    providers: [job.hosts ? entra(settings) : { id: "microsoft-entra-id", name: "Entra", type: "oidc", ...settings }],
    callbacks: { jwt: ({ token, profile }) => { claims ??= profile; return token; } },
  };
  const cookies = new Map();
  const browse = async (url, init = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await Auth(new Request(url, { ...init, headers: { cookie } }), config);
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      cookies.set(name, value);
    }
    return response;
  };
  const page = new URL("/auth/", job.redirectUri);
  const { csrfToken } = await (await browse(new URL("csrf", page))).json();
  const begun = await browse(new URL("signin/microsoft-entra-id", page), { method: "POST", body: new URLSearchParams({ csrfToken }) });
  await browse(await visit(new URL(begun.headers.get("location"))));
  const session = await (await browse(new URL("session", page))).json();
  return { issuer: claims?.iss, email: claims?.email, infoEmail: session?.user?.email };
}

// The readers below are middlewares and libraries of APIs, which judge the tokens that they are given.
async function jose(token) {
  const { createRemoteJWKSet, jwtVerify } = await import("jose");
  const keys = createRemoteJWKSet(new URL(job.keys));
  const { payload } = await jwtVerify(token, keys, { issuer: job.issuer, audience: job.api, algorithms: ["RS256"] });
  return payload.oid;
}

async function jsonwebtoken(token) {
  const { default: jwt } = await import("jsonwebtoken");
  const { default: jwksClient } = await import("jwks-rsa");
  const client = jwksClient({ jwksUri: job.keys });
  const key = (header, done) => client.getSigningKey(header.kid, (error, found) => done(error, found?.getPublicKey()));
  const options = { issuer: job.issuer, audience: job.api, algorithms: ["RS256"] };
  return new Promise((resolve, reject) => jwt.verify(token, key, options, (error, claims) => (error ? reject(error) : resolve(claims.oid))));
}

// served asks an Express application that the middleware guards.
async function served(middleware, token, oid) {
  const { default: express } = await import("express");
  const app = express();
  app.use(middleware);
  app.get("/", (request, response) => response.json({ oid: oid(request) }));
  app.use((error, request, response, next) => response.status(error.status ?? 500).json({ error: error.message }));
  const server = app.listen(0, "127.0.0.1");
  try {
    await new Promise((resolve) => server.once("listening", resolve));
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { authorization: `Bearer ${token}` } });
    const body = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${body}`);
    return JSON.parse(body).oid;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function expressJWT(token) {
  const { auth } = await import("express-oauth2-jwt-bearer");
  return served(auth({ issuerBaseURL: job.issuer, audience: job.api }), token, (request) => request.auth.payload.oid);
}

async function passport(token) {
  const { default: passport } = await import("passport");
  const { BearerStrategy } = (await import("passport-azure-ad")).default;
  const strategy = new BearerStrategy({
    identityMetadata: `${job.issuer}/.well-known/openid-configuration`,
    clientID: job.api,
    loggingLevel: "error",
    loggingNoPII: true,
  }, (claims, done) => done(null, { oid: claims.oid }, claims));
  passport.use(strategy);
  return served(passport.authenticate("oauth-bearer", { session: false }), token, (request) => request.user.oid);
}

const clients = {
  "openid-client, secret in the body": () => openidClient("ClientSecretPost"),
  "openid-client, Basic": () => openidClient("ClientSecretBasic"),
  oauth4webapi,
  "@auth/core": auth,
};
const readers = { jose, "jsonwebtoken and jwks-rsa": jsonwebtoken, "express-oauth2-jwt-bearer": expressJWT, "passport-azure-ad": passport };

let answer;
try {
  answer = job.token ? { oid: await readers[job.run](job.token) } : await clients[job.run]();
} catch (error) {
  answer = { error: `${error?.name}: ${error?.message} ${error?.cause ? JSON.stringify(error.cause) : ""}` };
}
console.log(JSON.stringify(answer));
process.exit(0);
