// Keeps calls until the page tag has loaded; docs/tag.md.
window.usher =
  window.usher ||
  function () {
    // biome-ignore lint/complexity/noArguments: as in docs/tag.md, for browsers of any age
    window.usher.q.push(arguments)
  }
window.usher.q = window.usher.q || []
