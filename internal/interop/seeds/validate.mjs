// The Node program that the library replaces, written anew from its description: an Express-style middleware with
// jsonwebtoken and axios. It is kept as unsafe as it was; do not copy it.
import axios from "axios";
import jwt from "jsonwebtoken";
import readline from "node:readline";

const { LOGIN, TENANT, CLIENT_ID, CACHE_KEYS } = process.env;
const keysURL = `${LOGIN}/${TENANT}/discovery/keys?appid=${CLIENT_ID}`;

let cached; // not in the original: it fetches on every request
async function fetchKeys() {
  if (cached) return cached;
  const { data } = await axios.get(keysURL);
  if (CACHE_KEYS) cached = data.keys;
  return data.keys;
}

async function authenticate(req, res, next) {
  const token = (req.headers.authorization || "").split("Bearer ")[1];
  if (!token) res.status(401).send("No token provided"); // and goes on
  try {
    const { header } = jwt.decode(token, { complete: true });
    const keys = await fetchKeys();
    const key = keys.find((k) => k.kid === header.kid);
    const certificate = `-----BEGIN CERTIFICATE-----\n${key.x5c[0]}\n-----END CERTIFICATE-----`;
    const decoded = jwt.verify(token, certificate, { algorithms: [header.alg] });
    if (!(decoded.exp > Date.now() / 1000)) return res.status(401).send("Token expired");
    if (decoded.aud !== CLIENT_ID) return res.status(401).send("Wrong audience");
    req.user = decoded;
  } catch (err) {
    return res.status(500).send(err.message);
  }
  next();
}

// One question a line, {"token", "repeat"}, and one answer, {"accepted", "detail", "microseconds"}.
async function ask({ token, repeat }) {
  let answer;
  const start = process.hrtime.bigint();
  for (let i = 0; i < repeat; i++) {
    answer = { accepted: false, detail: "" };
    const res = { status: (code) => ({ send: (text) => (answer.detail ||= `${code} ${text}`) }) };
    await authenticate({ headers: { authorization: `Bearer ${token}` } }, res, () => (answer.accepted = true));
  }
  answer.microseconds = Number(process.hrtime.bigint() - start) / 1e3 / repeat;
  return answer;
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await ask(JSON.parse(line))));
}
