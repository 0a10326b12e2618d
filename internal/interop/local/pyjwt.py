"""An API that validates access tokens with PyJWT."""
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt

env = os.environ
tenant = env["ENTRA_TENANT_ID"]
issuer = env.get("ENTRA_ISSUER", f"https://login.microsoftonline.com/{tenant}/v2.0")
keys = jwt.PyJWKClient(issuer.removesuffix("v2.0") + "discovery/v2.0/keys")


def validated(authorization):
    token = authorization.removeprefix("Bearer ")
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        issuer=issuer,
        audience=env["ENTRA_CLIENT_ID"],
        options={"require": ["exp", "iss", "aud"]},
    )


class API(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            claims = validated(self.headers.get("Authorization", ""))
        except jwt.PyJWTError as error:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Bearer")
            text = f"{error}"
        else:
            self.send_response(200)
            text = f"orders of {claims['oid']}"
        self.end_headers()
        self.wfile.write(text.encode())


HTTPServer(("localhost", int(env.get("PORT", 8080))), API).serve_forever()
