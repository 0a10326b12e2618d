"""MSAL Python as its documentation writes it: each flow that an application has. It reads what to do as JSON from standard
input, and prints the tokens that it got."""

import json
import sys
from urllib.parse import parse_qsl, urlsplit

import msal

from browser import enter_code, sign_in

job = json.load(sys.stdin)
known = {} if job["discovery"] else {"instance_discovery": False}


def confidential(credential=job["secret"], **options):
    return msal.ConfidentialClientApplication(
        job["client"], authority=job["authority"], client_credential=credential, **known, **options)


def got(result):
    if "access_token" not in result:
        raise RuntimeError(json.dumps({name: result.get(name) for name in ("error", "error_description", "error_codes")}))
    return result["access_token"]


def daemon():
    app = confidential()
    token = got(app.acquire_token_for_client([job["appScope"]]))
    cached = app.acquire_token_silent([job["appScope"]], account=None)
    certified = confidential({"thumbprint": job["thumbprint"], "private_key": job["key"]})
    return {"token": token, "again": got(cached), "certified": got(certified.acquire_token_for_client([job["appScope"]]))}


def web():
    app = confidential()
    if app.get_accounts():  # It asks which other names the authority has, since its cache is empty.
        raise RuntimeError("an account before anybody signed in")
    flow = app.initiate_auth_code_flow([job["read"]], redirect_uri=job["redirect"])
    back = dict(parse_qsl(urlsplit(sign_in(flow["auth_uri"], job["alice"])).query))
    result = app.acquire_token_by_auth_code_flow(flow, back)  # It compares state and nonce, and reads the ID token.
    token = got(result)
    [account] = app.get_accounts()
    cached = app.acquire_token_silent([job["read"]], account)
    forced = app.acquire_token_silent([job["read"]], account, force_refresh=True)
    other = app.acquire_token_silent([job["write"]], account)
    return {
        "token": token, "again": got(cached), "renewed": got(forced), "other": got(other),
        "username": account["username"], "oid": result["id_token_claims"]["oid"],
        "challenge": "code_challenge" in flow["auth_uri"],
    }


def device():
    app = msal.PublicClientApplication(job["page"], authority=job["authority"], **known)
    flow = app.initiate_device_flow([job["read"]])
    enter_code(flow["verification_uri"], flow["user_code"], job["alice"])
    token = got(app.acquire_token_by_device_flow(flow))
    [account] = app.get_accounts()
    renewed = app.acquire_token_silent([job["read"]], account, force_refresh=True)
    declined = app.initiate_device_flow([job["read"]])
    enter_code(declined["verification_uri"], declined["user_code"], "cancel")
    return {"token": token, "renewed": got(renewed), "error": app.acquire_token_by_device_flow(declined)["error"]}


def on_behalf_of():
    app = confidential(client_capabilities=["cp1"])
    token = got(app.acquire_token_on_behalf_of(job["assertion"], [job["read"]]))
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    return {"token": token, "stepped": got(app.acquire_token_on_behalf_of(job["assertion"], [job["read"]], claims_challenge=claims))}


def refused():
    result = confidential("wrong").acquire_token_for_client([job["appScope"]])
    return {"error": result["error"], "number": result["error_codes"][0]}


def authority():
    try:
        confidential()
    except ValueError as error:
        return {"error": str(error)}
    return {}


flows = {"authority": authority, "daemon": daemon, "web": web, "device": device, "on behalf of": on_behalf_of, "refused": refused}
print(json.dumps(flows[job["flow"]]()))
