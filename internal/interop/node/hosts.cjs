// What a host mapping does for other programs: connections to Microsoft's hosts, which ENTRA_HOSTS names, lead to the
// fake tenant at ENTRA_ADDR. Node.js before version 24 reads no HTTPS_PROXY.
const tls = require("node:tls");

const [host, port] = process.env.ENTRA_ADDR.split(":");
const names = process.env.ENTRA_HOSTS.split(",");
const connect = tls.connect;
tls.connect = (options, ...rest) =>
  names.includes(options?.host)
    ? connect({ ...options, host, port: Number(port), servername: options.servername || options.host }, ...rest)
    : connect(options, ...rest);
