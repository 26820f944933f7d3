#!/usr/bin/env bash
# The certificates of the tests, made anew: an authority, what it signed, and what another one did.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
from=20200101000000Z
until=21200101000000Z

cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
serial = $work/serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
countryName = optional
organizationName = optional
organizationalUnitName = optional
[authority]
basicConstraints = critical,CA:TRUE
[server]
subjectAltName = DNS:localhost,IP:127.0.0.1
[client]
basicConstraints = CA:FALSE
CNF

key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt; }

sign() { # NAME KIND SUBJECT UNTIL OPTIONS...
  local name=$1 kind=$2 subject=$3 end=$4
  shift 4
  : > "$work/index"
  openssl rand -hex 8 > "$work/serial"
  key > "$name.key"
  openssl req -new -key "$name.key" -subj "$subject" -utf8 -out "$work/request"
  openssl ca -batch -notext -preserveDN -utf8 -config "$work/ca.cnf" -extensions "$kind" \
    -startdate $from -enddate "$end" -in "$work/request" -out "$name.pem" "$@" 2> "$work/log" || { cat "$work/log"; exit 1; }
}
by() { echo "-cert $1.pem -keyfile $1.key"; }

sign authority authority '/O=Mill/CN=Test authority' $until -selfsign -keyfile authority.key
sign stranger authority '/O=Elsewhere/CN=Another authority' $until -selfsign -keyfile stranger.key
sign server server '/O=Mill/CN=localhost' $until $(by authority)
sign renewed server '/O=Mill/CN=localhost renewed' $until $(by authority)
sign alice client '/C=CH/O=Mühle, Söhne/OU=Grinding+CN=alice' $until $(by authority)
sign mallory client '/O=Mill/CN=alice' $until $(by stranger)
sign expired client '/O=Mill/CN=late' 20210101000000Z $(by authority)
openssl pkcs8 -topk8 -v2 aes256 -in server.key -passout pass:flour -out server.encrypted.key
rm authority.key stranger.key
