// Bootstrap takes its colours from an attribute; this one follows the system, and paper is light. Without script the
// pages are light.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const follow = () =>
    document.documentElement.setAttribute("data-bs-theme", dark.matches && !paper.matches ? "dark" : "light");
  dark.addEventListener("change", follow);
  paper.addEventListener("change", follow);
  follow();
})();
