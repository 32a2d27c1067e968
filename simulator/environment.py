"""The environment in which an AWS client reaches the lab and nothing else, whatever was set outside.

Profiles, endpoints of single services, proxies and credentials from outside are taken away, and the lab's own config files, endpoint
and keys put in. boto3 and the CLI read a file where the environment names one, so the user's own `~/.aws` is never read.
"""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from simulator.home import Home, Running

Shell = Literal["sh", "fish", "powershell", "cmd", "json"]
_HOSTILE = re.compile(
    r"^(AWS_.*|BOTO_CONFIG|(HTTPS?|ALL|FTP|NO)_PROXY|LOCALSTACK_.*|EDGE_PORT|USE_SSL|DEFAULT_REGION|REQUESTS_CA_BUNDLE)$",
    re.IGNORECASE,
)


def lab_variables(home: Home, running: Running) -> dict[str, str]:
    """Return the variables that point AWS clients at the lab."""
    return {
        "AWS_ENDPOINT_URL": running.endpoint_url,
        "AWS_REGION": running.region,
        "AWS_DEFAULT_REGION": running.region,
        "AWS_ACCESS_KEY_ID": running.access_key_id,
        "AWS_SECRET_ACCESS_KEY": running.secret_access_key,
        "AWS_SESSION_TOKEN": running.session_token,
        "AWS_CONFIG_FILE": str(home.path / "aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home.path / "aws" / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "LAB_HOME": str(home.path),
    }


def hostile(environ: Mapping[str, str]) -> list[str]:
    """Return the names of variables from outside that could lead an AWS client elsewhere."""
    return sorted(name for name in environ if _HOSTILE.match(name))


def isolated(environ: Mapping[str, str], home: Home, running: Running) -> dict[str, str]:
    """Return `environ` without what leads elsewhere, with the lab's variables, and this kit's programs first on the path.

    Version 1 of the AWS CLI has services (SQS, RDS, EMR, Health) for which it takes AWS's own address although
    AWS_ENDPOINT_URL names another. `aws` is therefore one that passes --endpoint-url; and what else would go out by HTTPS is
    sent to the lab as a proxy, which refuses it.
    """
    kept = {name: value for name, value in environ.items() if not _HOSTILE.match(name)}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {
        **kept,
        **lab_variables(home, running),
        "HTTPS_PROXY": running.endpoint_url,
        "https_proxy": running.endpoint_url,
        "PATH": os.pathsep.join([*_aws_of_the_lab(home, path), path]),
        "LAB_SHELL": running.lab_id,
    }


def _aws_of_the_lab(home: Home, path: str) -> list[str]:
    """Write a program `aws` that says where the lab is, and return its folder; nothing where there is no AWS CLI."""
    found = shutil.which("aws", path=path)
    if found is None:
        return []
    folder = home.path / "bin"
    folder.mkdir(exist_ok=True, mode=0o700)
    if sys.platform == "win32":
        (folder / "aws.cmd").write_text(f'@"{found}" --endpoint-url %AWS_ENDPOINT_URL% %*\r\n', "utf-8")
    else:
        program = folder / "aws"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(found)} --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n', "utf-8")
        program.chmod(0o700)
    return [str(folder)]


def write_aws_files(home: Home, running: Running) -> None:
    """Write the lab's own AWS config files. The credentials file is empty: the keys are in the environment."""
    folder = home.path / "aws"
    folder.mkdir(exist_ok=True, mode=0o700)
    (folder / "config").write_text(f"[default]\nregion = {running.region}\noutput = json\ncli_pager =\n", "utf-8")
    (folder / "credentials").write_text("", "utf-8")


def assignments(variables: Mapping[str, str], unset: list[str], shell: Shell) -> str:
    """Return lines that set `variables`, after clearing `unset`, in the language of `shell` (not json)."""
    clear = [name for name in unset if name not in variables]
    if shell == "fish":
        lines = [f"set -e {name};" for name in clear]
        lines += [f"set -gx {name} {shlex.quote(value)};" for name, value in variables.items()]
    elif shell == "powershell":
        lines = [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in clear]
        lines += ["$Env:{} = '{}'".format(name, value.replace("'", "''")) for name, value in variables.items()]
    elif shell == "cmd":
        lines = [f"set {name}=" for name in clear]
        lines += [f'set "{name}={value}"' for name, value in variables.items()]
    else:
        lines = [f"unset {name}" for name in clear]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join(lines)


def interactive(home: Home, running: Running, environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the command and environment of an interactive shell in the lab, its prompt saying so.

    A shell's own start-up files may export a profile or a proxy again, so the lab's variables are set after them.
    """
    env = isolated(environ, home, running)
    if sys.platform == "win32":
        return _windows_shell(env, running)
    shell = environ.get("SHELL", "/bin/sh")
    name = Path(shell).name
    rc = home.path / "shell"
    rc.mkdir(exist_ok=True, mode=0o700)
    variables = {
        **lab_variables(home, running),
        **{name: env[name] for name in ("PATH", "LAB_SHELL", "HTTPS_PROXY", "https_proxy")},
    }
    again = assignments(variables, hostile(environ), "fish" if name == "fish" else "sh")
    if name == "bash":
        clear = 'for name in $(compgen -e | grep -iE "^(aws_|https?_proxy|all_proxy)"); do unset "$name"; done\n'
        text = f"[ -f ~/.bashrc ] && . ~/.bashrc\n{clear}{again}\nPS1='(lab {running.lab_id}) '\"$PS1\"\n"
        (rc / "bashrc").write_text(text, "utf-8")
        return [shell, "--rcfile", str(rc / "bashrc"), "-i"], env
    if name == "zsh":
        own = shlex.quote(environ.get("ZDOTDIR", environ.get("HOME", "")))
        text = f"[ -f {own}/.zshrc ] && . {own}/.zshrc\n{again}\nPROMPT='(lab {running.lab_id}) '\"$PROMPT\"\n"
        (rc / ".zshrc").write_text(text, "utf-8")
        return [shell, "-i"], {**env, "ZDOTDIR": str(rc)}
    if name == "fish":
        prompt = f"functions -c fish_prompt lab_old_prompt; function fish_prompt; echo -n '(lab {running.lab_id}) '; lab_old_prompt; end"
        return [shell, "-i", "-C", f"{again}\n{prompt}"], env
    return [shell, "-i"], {**env, "PS1": f"(lab {running.lab_id}) $ ", "ENV": ""}


def _windows_shell(env: dict[str, str], running: Running) -> tuple[list[str], dict[str, str]]:
    if "PSModulePath" in env:
        prompt = f"function prompt {{ '(lab {running.lab_id}) ' + (Get-Location) + '> ' }}"
        return ["powershell", "-NoLogo", "-NoExit", "-NoProfile", "-Command", prompt], env
    return [env.get("COMSPEC", "cmd.exe"), "/K"], {**env, "PROMPT": f"(lab {running.lab_id}) $P$G"}
