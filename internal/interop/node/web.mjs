// A web application that signs a user in with msal-node and renews the tokens, as its documentation writes it. It reads what
// to do as JSON from standard input, and prints the tokens that it got.
import { text } from "node:stream/consumers";

const { msal, auth, redirectUri, read, write } = JSON.parse(await text(process.stdin));
const { ConfidentialClientApplication, CryptoProvider } = await import(msal);
const client = new ConfidentialClientApplication({ auth });

const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
const request = { redirectUri, scopes: [read] };
const url = await client.getAuthCodeUrl({ ...request, codeChallenge: challenge, codeChallengeMethod: "S256", loginHint: "alice" });
const answer = await fetch(url, { redirect: "manual" });
const code = new URL(answer.headers.get("location")).searchParams.get("code");
const { account, accessToken: first } = await client.acquireTokenByCode({ ...request, code, codeVerifier: verifier });

const { accessToken: cached } = await client.acquireTokenSilent({ scopes: [read], account });
const { accessToken: forced } = await client.acquireTokenSilent({ scopes: [read], account, forceRefresh: true });
const { accessToken: other } = await client.acquireTokenSilent({ scopes: [write], account });
// MSAL shows refresh tokens only in its serialized cache; applications that come from other libraries bring theirs.
const [{ secret: refreshToken }] = Object.values(JSON.parse(client.getTokenCache().serialize()).RefreshToken);
const { accessToken: redeemed } = await client.acquireTokenByRefreshToken({ scopes: [read], refreshToken, forceCache: true });
console.log(JSON.stringify({ first, cached, forced, other, redeemed }));
