"""What the console's tests share: asking the API, sign-in links, waiting, and the words of the page that come again."""
import base64
import http.client
import json

from lake_api import api, until


def ask(server, method, path, body=None, key=None, headers=None):
    """The response and its bytes. `key`: (access key id, secret) of somebody else; `headers` in place of a key: {} is nobody."""
    host, port = server.address("http")
    connection = http.client.HTTPConnection(host, port, timeout=60)
    if headers is None:
        pair = ":".join(key or (server.access_key, server.secret_key)).encode()
        headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response, data


def sql(server, statement):
    return api(server, "POST", "/api/v1/sql", {"sql": statement})


def apply(server, lakefile):
    plan = api(server, "POST", "/api/v1/plan", {"lakefile": lakefile})
    assert plan["problems"] == [], plan["problems"]
    api(server, "POST", "/api/v1/apply", {"lakefile": lakefile, "plan": plan["plan"]})


def settle(server):
    until(lambda: api(server, "GET", "/api/v1/tables")["quiescent"])


def address(server, path="/"):
    return f"http://{server.ready['http']}{path}"


def link(server, path="/", **whom):
    return address(server, path + "#token=" + api(server, "POST", "/api/v1/sign-in-tokens", whom)["token"])


def enter(server, browser, path, **whom):
    """Signs in and then goes there: for addresses with a question mark."""
    browser.open(link(server, "/dashboards", **whom))
    # The frame is drawn before the server has said who this is; to leave then would leave the sign-in behind.
    until(lambda: browser.evaluate("document.querySelector('.who')?.hidden === false"), 15)
    browser.open(address(server, path))


def here(browser):
    return browser.evaluate("location.pathname + location.search")


def trouble(problems):
    """Chromium writes refused requests into its console; they are no errors of the page."""
    return [one for one in problems if "Failed to load resource" not in one]


def confirm(browser):
    """The dialog's own button, whatever its word: it stands after Cancel."""
    browser.focus("button", "Cancel")
    browser.press("Tab")
    browser.press("Enter")
