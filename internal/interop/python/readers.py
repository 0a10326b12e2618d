"""Libraries with which APIs in Python judge tokens. It reads a job as JSON from standard input: which library, the issuer,
the API, and tokens by their names. It prints the oid of each token, or the error's name."""

import json
import sys

job = json.load(sys.stdin)


def pyjwt(token):
    import jwt

    key = jwt.PyJWKClient(job["keys"]).get_signing_key_from_jwt(token)
    required = {"require": ["exp", "iss", "aud"]}
    return jwt.decode(token, key.key, algorithms=["RS256"], audience=job["api"], issuer=job["issuer"], options=required)["oid"]


def authlib(token):
    import requests
    from authlib.jose import JsonWebKey, JsonWebToken

    keys = JsonWebKey.import_key_set(requests.get(job["keys"]).json())
    essential = {name: {"essential": True, "value": job[field]} for name, field in (("iss", "issuer"), ("aud", "api"))}
    claims = JsonWebToken(["RS256"]).decode(token, keys, claims_options={**essential, "exp": {"essential": True}})
    claims.validate()
    return claims["oid"]


def judged(token):
    try:
        return {"PyJWT": pyjwt, "authlib": authlib}[job["run"]](token)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print(json.dumps({name: judged(token) for name, token in job["tokens"].items()}))
