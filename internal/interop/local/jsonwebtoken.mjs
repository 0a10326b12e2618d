// An API that checks its callers' tokens with jsonwebtoken and jwks-rsa.
import { createServer } from "node:http";
import jwt from "jsonwebtoken";
import jwksClient from "jwks-rsa";

const env = process.env;
const issuer = env.ENTRA_ISSUER ?? `https://login.microsoftonline.com/${env.ENTRA_TENANT_ID}/v2.0`;
const keys = jwksClient({ jwksUri: issuer.replace(/v2\.0$/, "discovery/v2.0/keys") });
const keyOf = ({ kid }, done) => keys.getSigningKey(kid).then((key) => done(null, key.getPublicKey()), done);
const expected = { issuer, audience: env.ENTRA_CLIENT_ID, algorithms: ["RS256"] };

createServer((request, response) => {
  const token = request.headers.authorization?.replace(/^Bearer /, "");
  jwt.verify(token, keyOf, expected, (error, claims) => {
    if (error) response.writeHead(401, { "www-authenticate": "Bearer" }).end(error.name);
    else response.end(`orders of ${claims.oid}`);
  });
}).listen(env.PORT ?? 8080, "localhost");
