# The two ways without a browser beside it: a user enters a code elsewhere, or an application has a secret.
if [ -z "$AZURE_CLIENT_SECRET" ]; then
  login="devicecode --client-id $ENTRA_PAGE_CLIENT_ID"
else
  login=spn # the client and its secret are in the environment
fi
exec kubelogin get-token --tenant-id "$AZURE_TENANT_ID" --server-id "$ENTRA_CLIENT_ID" --login $login "$@"
