// A confidential client as msal-node's documentation writes it. It reads what to do as JSON from standard input, calls
// the API with the token that it gets, and prints what came back.
import { text } from "node:stream/consumers";

const { msal, auth, request, calls } = JSON.parse(await text(process.stdin));
const { ConfidentialClientApplication } = await import(msal);
const client = new ConfidentialClientApplication({ auth });

async function acquire(claims) {
  return request.oboAssertion
    ? client.acquireTokenOnBehalfOf({ ...request, claims, skipCache: Boolean(claims) })
    : client.acquireTokenByClientCredential(request);
}

// azureCall sends the request through the pipeline that every Azure SDK for JavaScript uses, which steps up by itself.
async function azureCall({ method, url }) {
  const pipeline = await import("@azure/core-rest-pipeline");
  const asked = [];
  const credential = {
    async getToken(scopes, options) {
      asked.push(options.claims ?? "");
      const { accessToken, expiresOn } = await acquire(options.claims);
      return { token: accessToken, expiresOnTimestamp: expiresOn.getTime() };
    },
  };
  const http = pipeline.createEmptyPipeline();
  http.addPolicy(pipeline.bearerTokenAuthenticationPolicy({ credential, scopes: request.scopes }));
  const response = await http.sendRequest(pipeline.createDefaultHttpClient(), pipeline.createPipelineRequest({ method, url }));
  return { status: response.status, asked };
}

// plainCall sends the request with fetch, and reads a refusal's header with MSAL's own parser.
async function plainCall({ method, url }) {
  const { accessToken } = await acquire();
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${accessToken}` } });
  const header = response.headers.get("www-authenticate");
  const body = response.ok ? await response.json() : undefined;
  return { status: response.status, body, challenge: header ? await readByMSAL(header) : undefined };
}

async function readByMSAL(header) {
  const { AuthenticationHeaderParser } = await import("@azure/msal-browser");
  const found = new AuthenticationHeaderParser({ "WWW-Authenticate": header }).parseChallenges(header);
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name.trim(), value]));
}

const answers = [];
try {
  for (const call of calls) {
    answers.push(await (call.azure ? azureCall(call) : plainCall(call)));
  }
} catch (error) {
  answers.push({ error: error.errorCode ?? error.name, number: Number(error.errorNo ?? 0), message: error.message });
}
console.log(JSON.stringify(answers));
