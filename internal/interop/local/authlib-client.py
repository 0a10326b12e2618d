"""A web application that signs users in with Authlib, calls the API for them, and renews their tokens."""
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url

env = os.environ
api = env.get("API_URL", "http://localhost:8080/orders")
page = env.get("PAGE_URL", "http://localhost:3000")
tenant = env["AZURE_TENANT_ID"]
issuer = env.get("ENTRA_ISSUER", f"https://login.microsoftonline.com/{tenant}/v2.0")

metadata = requests.get(get_well_known_url(issuer, external=True)).json()
if metadata["issuer"] != issuer:  # Authlib does not compare them.
    raise SystemExit(f"{issuer} says that it is {metadata['issuer']}")
pending = {}  # by state; in production, keep it in the user's session


def session(**options):
    return OAuth2Session(
        env["AZURE_CLIENT_ID"],
        env["AZURE_CLIENT_SECRET"],
        scope=f"openid profile offline_access {env['API_SCOPE']}",
        redirect_uri=f"{page}/auth/callback",
        code_challenge_method="S256",
        **options,
    )


def sign_in():
    checks = {"nonce": generate_token(20), "code_verifier": generate_token(48)}
    endpoint = metadata["authorization_endpoint"]
    url, state = session().create_authorization_url(endpoint, **checks)
    pending[state] = checks
    return url


def signed_in(state, answer):
    checks = pending.pop(state)
    client = session(state=state)
    endpoint = metadata["token_endpoint"]
    token = client.fetch_token(
        endpoint,
        authorization_response=answer,
        code_verifier=checks["code_verifier"],
    )
    claims = id_token(token, checks["nonce"])
    client.refresh_token(endpoint, token["refresh_token"])
    orders = client.get(api)
    return f"{claims['name']}: {orders.status_code} {orders.text}"


def id_token(token, nonce):
    keys = requests.get(metadata["jwks_uri"]).json()  # in production, keep them
    claims = JsonWebToken(["RS256"]).decode(
        token["id_token"],
        JsonWebKey.import_key_set(keys),
        claims_cls=CodeIDToken,
        claims_options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": env["AZURE_CLIENT_ID"]},
        },
        claims_params={"nonce": nonce, "client_id": env["AZURE_CLIENT_ID"]},
    )
    claims.validate()
    return claims


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/auth/callback":
            state = parse_qs(url.query)["state"][0]
            text = signed_in(state, f"{page}{self.path}")
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
        else:
            text = ""
            self.send_response(302)
            self.send_header("Location", sign_in())
        self.end_headers()
        self.wfile.write(text.encode())


HTTPServer(("localhost", urlsplit(page).port), Page).serve_forever()
