/* The inline stub: keeps calls until the script is there. SCRIPT_URL and WRITE_KEY are filled in by whoever pastes it. */
!(function (window, document) {
  var analytics = (window.analytics = window.analytics || []);
  if (analytics.initialize || analytics.invoked) return;
  analytics.invoked = true;
  'track page screen identify group alias reset ready on flush setAnonymousId consent trackLink trackForm addSourceMiddleware'
    .split(' ')
    .forEach(function (method) {
      analytics[method] = function () {
        analytics.push([method].concat([].slice.call(arguments)));
        return analytics;
      };
    });
  analytics.load = function (key) {
    var script = document.createElement('script');
    script.async = true;
    script.src = 'SCRIPT_URL';
    document.head.appendChild(script);
    analytics._writeKey = key;
  };
  analytics.load('WRITE_KEY');
})(window, document);
