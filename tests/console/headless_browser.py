"""A headless Chromium for tests, by roles and names, as a person with a screen reader would find things.

    with Browser() as browser:
        browser.open(url)
        browser.fill("Secret", "...")
        browser.click("button", "Sign in")
        browser.see("heading", "Stock")
        assert browser.problems() == []      # console errors, CSP violations, exceptions, requests to other hosts
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("TARN_CHROMIUM", "/usr/bin/chromium")


def missing():
    """What keeps a browser from starting; None when nothing does."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (ROOT / "console" / "node_modules" / "playwright-core").exists():
        return "the console's tools are not installed (./x setup)"
    if not os.path.exists(CHROMIUM):
        return f"{CHROMIUM} is not installed"
    return None


class Browser:
    def __init__(self):
        self.home = tempfile.TemporaryDirectory(prefix="tarn-browser-")
        environment = dict(os.environ, HOME=self.home.name, XDG_CONFIG_HOME=self.home.name, XDG_CACHE_HOME=self.home.name)
        self.process = subprocess.Popen(["node", str(pathlib.Path(__file__).with_name("browser.mjs"))], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment)
        self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(15)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.home.cleanup()

    def _answer(self):
        line = self.process.stdout.readline()
        assert line, "the browser's driver has ended; its error is above"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer.get("answer")

    def _run(self, run, **words):
        self.process.stdin.write(json.dumps({"run": run, **words}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def fresh(self, **how):
        """Another person's browser: no cookies. width, height, scheme ("light", "dark")."""
        return self._run("fresh", **how)

    def open(self, url):
        return self._run("open", url=url)

    def look(self, width, height, scheme):
        """The same page in another size and theme."""
        return self._run("look", width=width, height=height, scheme=scheme)

    def back(self):
        return self._run("back")

    def hold(self, path):
        """The page's requests of this path wait from now on, until let_go()."""
        return self._run("hold", path=path)

    def let_go(self, path):
        return self._run("let_go", path=path)

    def clear_cookies(self):
        """What the server ends by itself: the page does not know yet that it is signed out."""
        return self._run("clear_cookies")

    def axe(self, rules=None, inside=None):
        """What axe finds wrong on the page: one dictionary a rule; an empty list is good. `rules`: these alone; `inside`: a selector."""
        return self._run("axe", rules=rules, inside=inside)

    def paper(self, on):
        """As it would be printed, and back."""
        return self._run("paper", on=on)

    def motion(self, wish):
        """What the person's system says: "reduce" or "no-preference"."""
        return self._run("motion", wish=wish)

    def reload(self):
        return self._run("reload")

    def fill(self, label, text):
        return self._run("fill", label=label, text=text)

    def press(self, key):
        """Keys one after the other, a space between them."""
        return self._run("press", key=key)

    def click(self, role, name):
        return self._run("click", role=role, name=name)

    def drag(self, name, to):
        """With the mouse, from the button of one name to the one of another."""
        return self._run("drag", name=name, to=to)

    def pull(self, role, name, x, y):
        """Its ground, with the mouse, by so many pixels."""
        return self._run("pull", role=role, name=name, x=x, y=y)

    def focus(self, role, name):
        return self._run("focus", role=role, name=name)

    def choose(self, label, value):
        return self._run("choose", label=label, value=value)

    def see(self, role, name):
        return self._run("see", role=role, name=name)

    def see_text(self, text):
        return self._run("see_text", text=text)

    def gone(self, text):
        return self._run("gone", text=text)

    def text(self, role, name):
        return self._run("text", role=role, name=name)

    def holds(self, role, name, text):
        """Waits until it does."""
        return self._run("holds", role=role, name=name, text=text)

    def lacks(self, role, name, text):
        """Waits until it does not hold the text any more."""
        return self._run("lacks", role=role, name=name, text=text)

    def evaluate(self, js):
        return self._run("evaluate", js=js)

    def problems(self):
        return self._run("problems")

    def screenshot(self, path, full=False):
        return self._run("screenshot", path=str(path), full=full)
