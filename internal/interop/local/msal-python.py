"""A web application that signs users in with MSAL Python, calls the API for them, and renews their tokens."""
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

import msal
import requests

env = os.environ
api = env.get("API_URL", "http://localhost:8080/orders")
page = env.get("PAGE_URL", "http://localhost:3000")
login = env.get("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")
scopes = [env["API_SCOPE"]]

client = msal.ConfidentialClientApplication(
    env["AZURE_CLIENT_ID"],
    client_credential=env["AZURE_CLIENT_SECRET"],
    authority=login + env["AZURE_TENANT_ID"],
    # Microsoft knows no host of this machine; leave it out in production.
    instance_discovery="AZURE_AUTHORITY_HOST" not in env,
)
pending = {}  # by state; in production, keep the flow in the user's session


def sign_in():
    flow = client.initiate_auth_code_flow(scopes, redirect_uri=f"{page}/auth/callback")
    pending[flow["state"]] = flow
    return flow["auth_uri"]


def signed_in(answer):
    flow = pending.pop(answer.get("state"))
    result = client.acquire_token_by_auth_code_flow(flow, answer)
    name = result["id_token_claims"]["name"]
    username = result["id_token_claims"]["preferred_username"]
    account = client.get_accounts(username)[0]
    renewed = client.acquire_token_silent(scopes, account, force_refresh=True)
    token = renewed["access_token"]
    orders = requests.get(api, headers={"Authorization": f"Bearer {token}"})
    return f"{name}: {orders.status_code} {orders.text}"


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/auth/callback":
            text = signed_in(dict(parse_qsl(url.query)))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
        else:
            text = ""
            self.send_response(302)
            self.send_header("Location", sign_in())
        self.end_headers()
        self.wfile.write(text.encode())


HTTPServer(("localhost", urlsplit(page).port), Page).serve_forever()
