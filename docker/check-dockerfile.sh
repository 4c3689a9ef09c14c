#!/usr/bin/env bash
# Executes docker/Dockerfile without Docker: each stage in a Debian root made by debootstrap.
#
#   sudo docker/check-dockerfile.sh [FOLDER]
#
# Each line is printed and run in its root. EXPOSE is skipped and said so; CMD is run until it gives
# its address, then ended. Layers, image size and the base image's own content are not checked.
# Needs root, debootstrap, 10 GB in FOLDER (by default a new one below /var/tmp), and the network.
set -euo pipefail
cd "$(dirname "$0")/.."
dockerfile=docker/Dockerfile
[ "$(id -u)" = 0 ] || { echo "error: chroot needs root; try: sudo $0" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "error: no debootstrap; try: apt-get install debootstrap" >&2; exit 1; }
if [ $# -gt 0 ]; then work="$1"; mkdir -p "$work"; else work="$(mktemp -d -p /var/tmp headwater-docker-XXXXXX)"; fi
work="$(realpath "$work")"

declare -A root_of=()
declare -a variables=()
root="" stage="" user=root folder=/ executed=0
declare -a skipped=() mounted=()

finish() {
    for place in "${mounted[@]}"; do umount -R -l "$place" 2>/dev/null || true; done
}
trap finish EXIT

# A machine behind a proxy has certificates of its own; the programs in the root get them too.
certificates=/etc/ssl/certs/ca-certificates.crt

new_root() { # IMAGE NAME
    local suite="${1#debian:}"
    root="$work/$2"
    if [ ! -e "$work/base/etc/debian_version" ]; then
        echo "+ debootstrap ${suite%-slim}"
        debootstrap --variant=minbase "${suite%-slim}" "$work/base" >"$work/debootstrap.log"
    fi
    rm -rf --one-file-system "$root"
    cp -a "$work/base" "$root"
    for place in proc dev; do
        mount --rbind "/$place" "$root/$place"
        mount --make-rslave "$root/$place"
        mounted+=("$root/$place")
    done
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cp /etc/hosts "$root/etc/hosts"
    [ ! -e "$certificates" ] || cp "$certificates" "$root/host-certificates.crt"
    root_of["$2"]="$root" stage="$2" user=root folder=/ variables=()
}

inside() { # COMMAND...
    local home=/root
    [ "$user" = root ] || home="/home/$user"
    chroot "$root" /usr/bin/env -i HOME="$home" USER="$user" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive SSL_CERT_FILE=/host-certificates.crt CARGO_HTTP_CAINFO=/host-certificates.crt \
        PIP_CERT=/host-certificates.crt CARGO_TERM_PROGRESS_WHEN=never "${variables[@]}" \
        /usr/bin/setpriv --reuid "$user" --regid "$user" --init-groups /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
}

copy() { # [--from=STAGE] [--chown=USER] SOURCE... TARGET
    local from="$PWD" owner=root ours=yes
    while [[ "$1" == --* ]]; do
        case "$1" in
            --from=*) from="${root_of[${1#--from=}]}" ours=no ;;
            --chown=*) owner="${1#--chown=}" ;;
        esac
        shift
    done
    local target="$root/${!#}" source
    for source in "${@:1:$#-1}"; do
        if [ "$source" = . ]; then
            mkdir -p "$target"
            git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -c 2>/dev/null | tar -x -C "$target"
        elif [ -d "$from/$source" ] && [ ! -L "$from/$source" ]; then
            mkdir -p "$target"
            cp -a "$from/$source/." "$target/"
        else
            [[ "$target" == */ ]] && mkdir -p "$target"
            cp -a "$from/$source" "$target"
        fi
    done
    if [ "$owner" != root ] || [ "$ours" = yes ]; then chroot "$root" chown -R "$owner" "${!#}"; fi
}

# Runs CMD until it prints its address, asks there for the kernels, and ends it.
serve() { # JSON ARRAY
    local -a words
    mapfile -t words < <(python3 -c 'import json, sys; print(*json.loads(sys.argv[1]), sep="\n")' "$1")
    # The signal must reach the program itself, not the shells that this function puts around it.
    inside /bin/sh -c 'echo $$ >/tmp/cmd.pid; exec "$@"' sh "${words[@]}" >"$work/cmd.log" 2>&1 &
    local pid=$! address=""
    for _ in $(seq 600); do
        address="$(sed -n 's/^open //p' "$work/cmd.log")"
        [ -z "$address" ] && kill -0 $pid 2>/dev/null || break
        sleep 0.2
    done
    cat "$work/cmd.log"
    [ -n "$address" ] || { echo "error: CMD gave no address" >&2; return 1; }
    local token="${address##*token=}" base="${address%%/lab/*}"
    python3 - "$base/api/kernelspecs?token=$token" <<'PY'
import json, sys, urllib.request
specs = json.load(urllib.request.urlopen(sys.argv[1]))["kernelspecs"]
assert "headwater" in specs, sorted(specs)
print("the server offers:", ", ".join(sorted(specs)))
PY
    kill -INT "$(cat "$root/tmp/cmd.pid")"
    wait $pid
    tail -n 1 "$work/cmd.log"
}

execute() { # INSTRUCTION REST
    case "$1" in
        FROM)
            local image name
            read -r image _ name <<<"$2 "
            new_root "$image" "${name:-final}"
            ;;
        ENV) local -a more; eval "more=($2)"; variables+=("${more[@]}") ;;
        RUN) inside /bin/sh -c "$2" ;;
        COPY) local -a words; read -ra words <<<"$2"; copy "${words[@]}" ;;
        WORKDIR) folder="$2"; mkdir -p "$root$2" ;;
        USER) user="$2" ;;
        CMD) serve "$2" ;;
        *) skipped+=("$1 $2"); return ;;
    esac
    executed=$((executed + 1))
}

# The file is read on descriptor 3: a program in the root must not eat the lines to come.
while read -r -u 3 instruction rest; do
    case "$instruction" in '' | '#'*) continue ;; esac
    start=$SECONDS
    printf '\n=== %s%s %s\n' "${stage:+[$stage] }" "$instruction" "$rest"
    execute "$instruction" "$rest"
    printf '=== ok, %d s\n' $((SECONDS - start))
done 3<"$dockerfile"

printf '\n%d lines executed' "$executed"
((${#skipped[@]})) && printf '; skipped: %s' "${skipped[*]}"
printf '; roots are in %s\n' "$work"
