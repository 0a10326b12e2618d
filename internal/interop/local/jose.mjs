// An API that checks its callers' tokens with jose.
import { createServer } from "node:http";
import { createRemoteJWKSet, jwtVerify } from "jose";

const env = process.env;
const issuer = env.ENTRA_ISSUER ?? `https://login.microsoftonline.com/${env.ENTRA_TENANT_ID}/v2.0`;
const keys = createRemoteJWKSet(new URL(issuer.replace(/v2\.0$/, "discovery/v2.0/keys")));

createServer(async (request, response) => {
  try {
    const token = request.headers.authorization?.replace(/^Bearer /, "");
    const { payload } = await jwtVerify(token, keys, { issuer, audience: env.ENTRA_CLIENT_ID, algorithms: ["RS256"] });
    response.end(`orders of ${payload.oid}`);
  } catch (error) {
    response.writeHead(401, { "www-authenticate": "Bearer" }).end(error.code);
  }
}).listen(env.PORT ?? 8080, "localhost");
