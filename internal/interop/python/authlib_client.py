"""Authlib as its documentation writes it: a client that finds the issuer's metadata, signs a user in with PKCE, state and
nonce, validates the ID token, asks for userinfo, renews, and gets a token for itself. It reads what to do as JSON from
standard input, and prints what it got."""

import json
import sys
import time

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url

from browser import sign_in

job = json.load(sys.stdin)
new_tokens = []


def session(**options):
    return OAuth2Session(
        job["client"], job["secret"], token_endpoint_auth_method=job["authentication"], redirect_uri=job["redirect"],
        code_challenge_method="S256", update_token=lambda token, **_: new_tokens.append(token), **options)


client = session(scope="openid profile email offline_access")
metadata = OpenIDProviderMetadata(client.get(get_well_known_url(job["issuer"], external=True), withhold_token=True).json())
# validate() demands token_endpoint_auth_signing_alg_values_supported, as RFC 8414 section 2 does. Entra's document has none.
for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported", "subject_types_supported",
             "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported"):
    getattr(metadata, f"validate_{name}")()
if metadata["issuer"] != job["issuer"]:
    raise RuntimeError(f"issuer {metadata['issuer']}")
keys = JsonWebKey.import_key_set(client.get(metadata["jwks_uri"], withhold_token=True).json())


def id_token(token, nonce):
    claims = JsonWebToken(["RS256"]).decode(
        token["id_token"], keys, claims_cls=CodeIDToken,
        claims_options={"iss": {"essential": True, "value": job["issuer"]}, "aud": {"essential": True, "value": job["client"]}},
        claims_params={"nonce": nonce, "client_id": job["client"], "access_token": token["access_token"]})
    claims.validate()
    return claims


verifier, nonce = generate_token(48), generate_token(20)
url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
answer = sign_in(url, job["alice"])
token = session(scope=client.scope, state=state).fetch_token(
    metadata["token_endpoint"], authorization_response=answer, code_verifier=verifier)
claims = id_token(token, nonce)
client = session(token=token, token_endpoint=metadata["token_endpoint"], scope=f"openid offline_access {job['read']}")
info = UserInfo(client.get(metadata["userinfo_endpoint"]).json())
renewed = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"], scope=client.scope)
# A session renews by itself what has expired.
client.token = {**renewed, "expires_at": time.time() - 1}
called = client.get(job["api"])
daemon = session(scope=job["appScope"]).fetch_token(metadata["token_endpoint"], grant_type="client_credentials")

print(json.dumps({
    "issuer": claims["iss"], "email": claims["email"], "oid": claims["oid"], "infoEmail": info["email"],
    "same": info["sub"] == claims["sub"], "user": renewed["access_token"], "app": daemon["access_token"],
    "called": called.status_code, "renewals": len(new_tokens), "itself": new_tokens[-1]["access_token"],
    "again": id_token(renewed, None)["oid"],
}))
