// A web application on Express that signs users in with express-openid-connect, calls the API for them, and renews their tokens.
import { randomBytes } from "node:crypto";
import express from "express";
import oidc from "express-openid-connect";

const env = process.env;
const api = env.API_URL ?? "http://localhost:8080/orders";
const page = env.PAGE_URL ?? "http://localhost:3000";

const app = express();
app.use(oidc.auth({
  issuerBaseURL: env.ENTRA_ISSUER ?? `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}/v2.0`,
  baseURL: page,
  clientID: env.AZURE_CLIENT_ID,
  clientSecret: env.AZURE_CLIENT_SECRET,
  secret: randomBytes(32).toString("hex"), // of the session's cookie; in production, keep it in the configuration
  authorizationParams: { response_type: "code", scope: `openid profile offline_access ${env.API_SCOPE}` },
  routes: { callback: "/auth/callback" },
  idpLogout: true, // GET /logout signs out of Entra too
}));
app.get("/", async (request, response) => {
  const { access_token } = await request.oidc.accessToken.refresh();
  const orders = await fetch(api, { headers: { authorization: `Bearer ${access_token}` } });
  response.type("text").send(`${request.oidc.user.name}: ${orders.status} ${await orders.text()}`);
});
app.listen(new URL(page).port, "localhost");
