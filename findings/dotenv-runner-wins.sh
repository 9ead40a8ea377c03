#!/usr/bin/env bash
# python-dotenv 1.2.4 and honcho 2.0.0 (PyPI), foreman 3.0.1, dotenv-cli 11.0.0, env-cmd 11.0.0 and @dotenvx/dotenvx 2.38.2 (npm),
# joho/godotenv 1.5.1 (Go), Node.js: programs that run a command with the variables of a file .env.
#
# Expected: a variable that the environment has wins over the file, as in the library of each language; so a container's
# own variables win over a file that was copied into the image.
# Seen: the file wins in four of eight. `dotenv run` of python-dotenv and load_dotenv() of the same package differ.
# Why it matters: the password or the address that the orchestrator sets is replaced by that of the developer, without a word.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cd "$lab"
export HOME=$lab

python3 -m venv venv
venv/bin/pip --quiet install "python-dotenv[cli]==1.2.4" honcho==2.0.0 || exit 2
npm install --silent --no-fund foreman@3.0.1 dotenv-cli@11.0.0 env-cmd@11.0.0 @dotenvx/dotenvx@2.38.2 || exit 2
(
    mkdir module && cd module
    go mod init lab && go get github.com/joho/godotenv@v1.5.1 &&
        go build -mod=mod -o ../godotenv github.com/joho/godotenv/cmd/godotenv
) >go.log 2>&1 || { cat go.log >&2; exit 2; }

echo "DB_HOST=laptop" >.env
export DB_HOST=db-0.db
echo 'web: sh -c "echo $DB_HOST"' >Procfile
command=(sh -c 'echo $DB_HOST')
bin=node_modules/.bin
seen=$(
    echo "load_dotenv() of python-dotenv: $(venv/bin/python -c 'import dotenv, os
dotenv.load_dotenv(".env")
print(os.environ["DB_HOST"])')"
    echo "dotenv of python-dotenv: $(venv/bin/dotenv run "${command[@]}")"
    echo "honcho: $(venv/bin/honcho run "${command[@]}")"
    echo "foreman: $($bin/nf start 2>&1 | grep -oE "laptop|db-0.db")"
    echo "env-cmd: $($bin/env-cmd "${command[@]}")"
    echo "dotenv-cli: $($bin/dotenv -- "${command[@]}")"
    echo "dotenvx: $($bin/dotenvx run --quiet -- "${command[@]}")"
    echo "godotenv: $(./godotenv "${command[@]}")"
    echo "node: $(node --env-file=.env -p process.env.DB_HOST)"
)
stated="load_dotenv() of python-dotenv: db-0.db
dotenv of python-dotenv: laptop
honcho: laptop
foreman: laptop
env-cmd: laptop
dotenv-cli: db-0.db
dotenvx: db-0.db
godotenv: db-0.db
node: db-0.db"
echo "$seen"
[ "$seen" = "$stated" ] || { echo "not as stated" >&2; exit 1; }
