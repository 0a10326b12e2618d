// An API on Express that checks its callers' tokens with passport-azure-ad.
import express from "express";
import passport from "passport";
import azure from "passport-azure-ad";

const env = process.env;

passport.use(new azure.BearerStrategy({
  identityMetadata: `https://login.microsoftonline.com/${env.ENTRA_TENANT_ID}/v2.0/.well-known/openid-configuration`,
  clientID: env.ENTRA_CLIENT_ID,
  loggingLevel: "error",
}, (claims, done) => done(null, claims)));

const app = express();
app.use(passport.authenticate("oauth-bearer", { session: false }));
app.get("/", (request, response) => response.send(`orders of ${request.user.oid}`));
app.listen(env.PORT ?? 8080, "localhost");
