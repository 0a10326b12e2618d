# The two ways without a browser beside it: a user enters a code elsewhere, or an application has a secret.
if [ -z "$AZURE_CLIENT_SECRET" ]; then
  exec kubelogin get-token --login devicecode --tenant-id "$AZURE_TENANT_ID" --server-id "$ENTRA_CLIENT_ID" --client-id "$ENTRA_PAGE_CLIENT_ID" "$@"
fi
exec kubelogin get-token --login spn --tenant-id "$AZURE_TENANT_ID" --server-id "$ENTRA_CLIENT_ID" "$@" # the client and its secret are in the environment
