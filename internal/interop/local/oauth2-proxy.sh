# Signs users in, and sends each request on to the API with the user's access token.
exec oauth2-proxy \
  --provider=entra-id \
  --oidc-issuer-url="${ENTRA_ISSUER:-https://login.microsoftonline.com/$AZURE_TENANT_ID/v2.0}" \
  --client-id="$AZURE_CLIENT_ID" \
  --client-secret="$AZURE_CLIENT_SECRET" \
  --scope="openid profile email offline_access $API_SCOPE" \
  --skip-claims-from-profile-url \
  --code-challenge-method=S256 \
  --insecure-oidc-skip-nonce=false \
  --http-address="127.0.0.1:${PORT:-4180}" \
  --redirect-url="${PAGE_URL:-http://localhost:4180}/oauth2/callback" \
  --upstream="${API_URL:-http://localhost:8080/orders}" \
  --pass-access-token \
  --skip-jwt-bearer-tokens \
  --oidc-extra-audience="$ENTRA_CLIENT_ID" \
  --email-domain='*' \
  --cookie-secret="$(openssl rand -hex 16)" \
  --cookie-secure=false \
  --cookie-refresh=30m \
  --skip-provider-button \
  "$@"
