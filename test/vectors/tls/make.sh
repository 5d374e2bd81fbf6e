#!/bin/sh
# Makes the certificates of this directory anew. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")"
from=20200101000000Z
to=21200101000000Z

# make <name> <common name> <extensions as lines>: a certificate of the authority, or of itself
make() {
  openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\n' > ca.cnf
  printf 'rand_serial=yes\nunique_subject=no\ndefault_md=sha256\npolicy=p\n' >> ca.cnf
  printf '[p]\ncommonName=supplied\n[x]\n%s\n' "$3" >> ca.cnf
  if [ "$1" = "$by" ]; then signer="-selfsign -keyfile $1.key"
  else signer="-cert $by.pem -keyfile $by.key"; fi
  # shellcheck disable=SC2086 # options, word by word
  openssl ca -batch -config ca.cnf -in "$1.csr" $signer \
    -startdate $from -enddate $to -extensions x -notext -out "$1.pem"
  rm "$1.csr" ca.cnf
}

: > index.txt
by=authority
make authority "Poste Restante test authority" "basicConstraints=critical,CA:TRUE"
local="subjectAltName=DNS:im.example.org,DNS:localhost,IP:127.0.0.1,IP:::1"
make server "test server" "$local"
make renewed "test server, renewed" "$local"
make second "test server of another domain" \
  "subjectAltName=URI:sip:second.example.net,DNS:other.example.net"
make proxy "test proxy" "subjectAltName=DNS:Proxy.example.com"
make wildcard "test wildcard" "subjectAltName=DNS:*.example.org"
make nameless im.example.org "basicConstraints=CA:FALSE"
by=stranger
make stranger "stranger" "subjectAltName=DNS:proxy.example.com,DNS:im.example.org"
by=authority
from=20010101000000Z to=20011231000000Z
make expired "expired" "subjectAltName=DNS:im.example.org"

# Nothing is signed by this authority again, and `openssl ca` leaves copies by serial number.
for made in [0-9A-F][0-9A-F][0-9A-F]*.pem; do rm "$made"; done
rm -f index.txt* serial* authority.key
