// An API on Express that checks its callers' tokens with express-oauth2-jwt-bearer.
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";

const env = process.env;
const issuer = env.ENTRA_ISSUER ?? `https://login.microsoftonline.com/${env.ENTRA_TENANT_ID}/v2.0`;

const app = express();
app.use(auth({ issuerBaseURL: issuer, audience: env.ENTRA_CLIENT_ID }));
app.get("/", (request, response) => response.send(`orders of ${request.auth.payload.oid}`));
app.listen(env.PORT ?? 8080, "localhost");
