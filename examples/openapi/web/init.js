"use strict";
fetch("config.json")
  .then((answer) => answer.json())
  .then(({ clientId, apiId }) => {
    const ui = SwaggerUIBundle({
      url: "openapi.json",
      dom_id: "#swagger-ui",
      // Register this very URL, on the platform "Single-page application" of the page's registration.
      oauth2RedirectUrl: new URL("oauth2-redirect.html", location.href).href,
    });
    ui.initOAuth({
      clientId, // the page's, not the API's
      usePkceWithAuthorizationCodeGrant: true,
      scopes: ["api://" + apiId + "/Orders.Read"], // ticked at the start
    });
  });
