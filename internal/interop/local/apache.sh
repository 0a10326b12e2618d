# What the two files of directives below name in braces, with Microsoft's issuer where no other is set.
issuer="${ENTRA_ISSUER:-https://login.microsoftonline.com/$AZURE_TENANT_ID/v2.0}"
export AUTHORITY="${issuer%/v2.0}"
export PAGE_URL="${PAGE_URL:-http://localhost:8081}"
export API_URL="${API_URL:-http://localhost:8080/orders}"
export PASSPHRASE="$(openssl rand -hex 16)"
exec apache2 "$@"
