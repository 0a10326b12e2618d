// What the page shows. All that concerns tokens is in api.js.

import { acquire, call, resume, signIn, signInWithPopup, signOut } from "./api.js";

const calls = {
  orders: { method: "GET", path: "/orders" },
  me: { method: "GET", path: "/me", idToken: true },
  delete: { method: "DELETE", path: "/orders/1001" },
  pay: { method: "POST", path: "/payments" },
};

const $ = (id) => document.getElementById(id);

function element(name, properties, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

async function ask(it, request) {
  const { response, challenge, remedy } = await call(it, request);
  const body = await response.json();
  const head = headline(`${it.method} ${it.path}`, `${response.status} ${response.statusText}`, response.ok);
  show(head, ...(response.ok ? [] : refusal(body, challenge, remedy, it)), ...code("Body", body));
}

async function renew() {
  const before = await acquire();
  const after = await acquire({ forceRefresh: true });
  const isNew = after.accessToken !== before.accessToken;
  const facts = { scope: after.scopes.join(" "), "good until": after.expiresOn.toLocaleTimeString() };
  show(headline("POST /oauth2/v2.0/token", isNew ? "New token" : "Same token", isNew), ...list("What MSAL.js got without asking", facts));
}

function headline(asked, status, good) {
  return element("p", { className: "headline" }, element("code", {}, asked), element("span", { className: `badge ${good ? "good" : "bad"}` }, status));
}

function refusal(problem, challenge, remedy, it) {
  const parts = [element("p", { className: "why" }, problem.detail)];
  if (remedy) {
    const text = remedy.claims ? "Confirm sign-in" : `Allow ${remedy.scopes[0].split("/").pop()}`;
    const button = element("button", { className: "primary", id: "remedy" }, text);
    onClick(button, () => ask(it, remedy));
    parts.push(button);
  }
  return [...parts, ...list("What the page reads in WWW-Authenticate", challenge)];
}

function list(title, facts) {
  const entries = Object.entries(facts).filter(([, value]) => value);
  const terms = entries.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, name === "claims" ? atob(value) : value)]);
  return [element("h3", {}, title), element("dl", {}, ...terms)];
}

function code(title, body) {
  return [element("h3", {}, title), element("pre", {}, JSON.stringify(body, null, 2))];
}

function show(...parts) {
  $("result").replaceChildren(...parts);
  $("answer").scrollIntoView({ block: "nearest" });
}

function showError(error) {
  const parts = [
    element("p", { className: "why" }, "That did not work. Nothing was changed; try again."),
    element("details", {}, element("summary", {}, "What MSAL.js says"), element("p", { className: "faint" }, error.message)),
  ];
  if (!$("signed-in").hidden) return show(...parts);
  $("sign-in-error").replaceChildren(...parts);
  $("sign-in-error").hidden = false;
}

function showAccount(account) {
  $("signed-out").hidden = Boolean(account);
  $("signed-in").hidden = $("user").hidden = !account;
  $("name").textContent = account?.name ?? "";
  $("username").textContent = account?.username ?? "";
}

// onClick runs one handler of a button at a time, and shows its error.
function onClick(button, work) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      showError(error);
    } finally {
      button.disabled = false;
    }
  });
}

function onChoice(button, work) {
  onClick(button, () => {
    document.querySelector("[aria-current]")?.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    return work();
  });
}

onClick($("sign-in"), signIn);
onClick($("sign-in-popup"), async () => showAccount(await signInWithPopup()));
onClick($("sign-out"), signOut);
onChoice($("renew"), renew);
for (const button of document.querySelectorAll("[data-call]")) onChoice(button, () => ask(calls[button.dataset.call]));

try {
  showAccount(await resume());
} catch (error) {
  showAccount(null);
  showError(error);
}
