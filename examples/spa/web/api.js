// The page's whole use of MSAL.js: sign in and out, get tokens, and send them to the API.

const config = await (await fetch("config.json")).json();
const scope = (name) => `api://${config.apiId}/${name}`;

const client = new msal.PublicClientApplication({
  auth: {
    clientId: config.clientId,
    authority: `https://login.microsoftonline.com/${config.tenantId}`,
    authorityMetadata: config.authorityMetadata, // leads to an emulator; delete this line for production
    clientCapabilities: ["CP1"], // this page answers claims challenges
    redirectUri: `${location.origin}/`,
  },
});
const usual = {
  scopes: [scope("Orders.Read")],
  redirectUri: `${location.origin}/redirect.html`, // where popups and hidden frames come back to
};

// resume returns the account that is signed in. It completes a sign-in by redirect, and throws if that failed.
export async function resume() {
  await client.initialize();
  const signedIn = await client.handleRedirectPromise();
  if (signedIn) client.setActiveAccount(signedIn.account);
  return client.getActiveAccount();
}

export const signIn = () => client.loginRedirect({ scopes: usual.scopes });

export async function signInWithPopup() {
  const { account } = await client.loginPopup(usual);
  client.setActiveAccount(account);
  return account;
}

export const signOut = () => client.logoutRedirect();

// acquire gets tokens, without a popup if it can. Call it from a click handler: browsers block other popups.
export async function acquire(request) {
  try {
    return await client.acquireTokenSilent({ ...usual, ...request });
  } catch (error) {
    if (!(error instanceof msal.InteractionRequiredAuthError)) throw error;
    return client.acquireTokenPopup({ ...usual, ...request });
  }
}

// call sends a request to the API, a second time with a new token if the API refuses the first one, and returns the
// response with the token request that its challenge asks for.
export async function call({ method, path, idToken }, request) {
  const send = async (request) => {
    const tokens = await acquire(request);
    const authorization = `Bearer ${idToken ? tokens.idToken : tokens.accessToken}`;
    return fetch(config.api + path, { method, headers: { authorization } });
  };
  let response = await send(request);
  if (challengeOf(response).error === "invalid_token") response = await send({ ...request, forceRefresh: true });
  const challenge = challengeOf(response);
  return { response, challenge, remedy: remedyFor(challenge) };
}

// challengeOf reads WWW-Authenticate, which the API exposes to this page (CORS).
function challengeOf(response) {
  const header = response.headers.get("WWW-Authenticate") ?? "";
  return Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

// remedyFor returns the token request that a refusal asks for: one with a claim (step-up) or with another scope.
function remedyFor(challenge) {
  if (challenge.error === "insufficient_claims") return { claims: atob(challenge.claims) };
  if (challenge.error === "insufficient_scope" && challenge.scope) return { scopes: [challenge.scope] };
}
