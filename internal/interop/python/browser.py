"""The user's browser, as far as the fake tenant's pages need one."""

import html
import re

import requests


def fields(page):
    """The hidden fields of a page's form, by their names."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def sign_in(url, account):
    """Goes to the authorization endpoint, picks the account, and returns where the browser is sent then."""
    page = requests.get(url)
    page.raise_for_status()
    form = {**fields(page.text), "entratest_account": account}
    if len(form) < 3 or account not in page.text:
        raise RuntimeError(f"no page with this account: {page.text}")
    answer = requests.post(page.url.partition("?")[0], data=form, allow_redirects=False)
    return answer.headers["location"]


def enter_code(url, code, account):
    """Enters a device's code on its page, and picks the account on the next one."""
    page = requests.post(url, data={"user_code": code})
    page.raise_for_status()
    answer = requests.post(url, data={**fields(page.text), "entratest_account": account})
    answer.raise_for_status()
