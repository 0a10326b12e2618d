"""The Python program that the library replaces, written anew from its description: PyJWT, cryptography and httpx.
It is kept as unsafe as it was; do not copy it."""

import asyncio
import json
import os
import sys
import time

import httpx
import jwt
from cryptography import x509

LOGIN, TENANT, CLIENT_ID = (os.environ[name] for name in ("LOGIN", "TENANT", "CLIENT_ID"))
cached = None


async def fetch_keys():
    global cached
    if cached is None:  # and then never again
        async with httpx.AsyncClient() as client:
            response = await client.get(f"{LOGIN}/{TENANT}/discovery/keys?appid={CLIENT_ID}")
        cached = {key["kid"]: key for key in response.json()["keys"]}
    return cached


async def is_valid(token):
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return False
    key = (await fetch_keys())[header["kid"]]
    pem = f"-----BEGIN CERTIFICATE-----\n{key['x5c'][0]}\n-----END CERTIFICATE-----".encode()
    public_key = x509.load_pem_x509_certificate(pem).public_key()
    checks = dict.fromkeys(("verify_signature", "verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), True)
    try:
        jwt.decode(token, public_key, algorithms=[header["alg"]], audience=CLIENT_ID, options=checks)
    except jwt.InvalidTokenError:
        return False
    return True


async def ask(token, repeat):
    """Answers one question as the test's protocol has it; a crash is an answer too."""
    detail, accepted = "", False
    start = time.perf_counter()
    try:
        for _ in range(repeat):
            accepted = await is_valid(token)
    except Exception as error:  # noqa: BLE001 the program itself catches none of these
        detail = f"crashes: {type(error).__name__}"
    return {"accepted": accepted, "detail": detail, "microseconds": (time.perf_counter() - start) * 1e6 / repeat}


for line in sys.stdin:
    print(json.dumps(asyncio.run(ask(**json.loads(line)))), flush=True)
