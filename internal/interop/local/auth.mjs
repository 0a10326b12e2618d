// A web application that signs users in with Auth.js, here without a framework, and calls the API for them.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { Auth } from "@auth/core";
import entra from "@auth/core/providers/microsoft-entra-id";

const env = process.env;
const api = env.API_URL ?? "http://localhost:8080/orders";
const page = env.PAGE_URL ?? "http://localhost:3000";

const config = {
  secret: env.AUTH_SECRET ?? crypto.randomUUID(),
  basePath: "/auth",
  trustHost: true,
  providers: [
    entra({
      clientId: env.AZURE_CLIENT_ID,
      clientSecret: env.AZURE_CLIENT_SECRET,
      issuer: env.ENTRA_ISSUER ?? `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}/v2.0`,
      authorization: { params: { scope: `openid profile email ${env.API_SCOPE}` } },
      // The provider's own asks Microsoft Graph for a photo, and this token is for the API.
      profile: ({ sub, name, email }) => ({ id: sub, name, email }),
    }),
  ],
  callbacks: {
    jwt: ({ token, account }) => (account ? { ...token, access: account.access_token } : token),
    session: ({ session, token }) => ({ ...session, access: token.access }),
  },
};

async function orders(headers) {
  const { user, access } = await (await Auth(new Request(`${page}/auth/session`, { headers }), config)).json();
  const answer = await fetch(api, { headers: { authorization: `Bearer ${access}` } });
  return new Response(`${user.name}: ${answer.status} ${await answer.text()}`);
}

createServer(async (request, response) => {
  const url = new URL(request.url, page);
  const headers = { cookie: request.headers.cookie ?? "", "content-type": request.headers["content-type"] ?? "" };
  const body = request.method === "POST" ? Readable.toWeb(request) : undefined;
  const answer = url.pathname.startsWith("/auth/")
    ? await Auth(new Request(url, { method: request.method, headers, body, duplex: "half" }), config)
    : await orders(headers);
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), "set-cookie": answer.headers.getSetCookie() });
  response.end(await answer.text());
}).listen(new URL(page).port, "localhost");
