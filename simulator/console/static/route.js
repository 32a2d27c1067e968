// A link of the AWS console names its page after the #, which never reaches a server: hand it over.
"use strict";
(() => {
  const service = document.currentScript.dataset.service;
  const follow = () => {
    const fragment = location.hash.slice(1);
    location.replace(`/console/go/${service}?to=${encodeURIComponent(fragment)}`);
  };
  follow();
})();
