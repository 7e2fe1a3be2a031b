# nginx for Windows, the demo's server: built with mingw from the source that Debian 13 ships. Sourced after lib.sh, packages.sh and
# debian.sh. Leaves CACHE/nginx-VERSION with nginx.exe, conf/, html/, logs/ and temp/.
# shellcheck shell=bash

NGINX_VERSION=1.26.3
NGINX_SHA256=69ee2b237744036e61d24b836668aad3040dda461fe6f570f1787eab570c75aa
NGINX_DIR=$CACHE/nginx-$NGINX_VERSION

fetch_nginx() {
    local folder=$CACHE/downloads
    mkdir -p "$folder"
    cd "$folder" || return
    if ! echo "$NGINX_SHA256  nginx_$NGINX_VERSION.orig.tar.gz" | sha256sum -c --status 2>/dev/null; then
        private_apt trixie deb-src update
        # The upstream source alone: Debian's patches come and go with its security updates, and are not used.
        private_apt trixie deb-src source --download-only --tar-only --only-source nginx
    fi
    echo "$NGINX_SHA256  nginx_$NGINX_VERSION.orig.tar.gz" | sha256sum -c
}

build_nginx() {
    local work=$CACHE/nginx-build
    rm -rf "$work" "$NGINX_DIR.new"
    mkdir -p "$work"
    tar -xzf "$CACHE/downloads/nginx_$NGINX_VERSION.orig.tar.gz" -C "$work" --strip-components=1
    cd "$work" || return
    ./configure --crossbuild=win32 --with-cc=x86_64-w64-mingw32-gcc --prefix= --conf-path=conf/nginx.conf --pid-path=logs/nginx.pid \
        --http-log-path=logs/access.log --error-log-path=logs/error.log --sbin-path=nginx.exe \
        --http-client-body-temp-path=temp/client_body_temp --http-proxy-temp-path=temp/proxy_temp \
        --http-fastcgi-temp-path=temp/fastcgi_temp --http-scgi-temp-path=temp/scgi_temp --http-uwsgi-temp-path=temp/uwsgi_temp \
        --without-http_rewrite_module --without-http_gzip_module --with-select_module \
        --with-cc-opt='-DFD_SETSIZE=1024 -Wno-error -D_WIN32_WINNT=0x0601'
    make -j"$(nproc)"
    mkdir -p "$NGINX_DIR.new/logs" "$NGINX_DIR.new/temp"
    x86_64-w64-mingw32-strip -o "$NGINX_DIR.new/nginx.exe" objs/nginx.exe
    cp -r conf html LICENSE "$NGINX_DIR.new/" 2>/dev/null || cp -r conf docs/html LICENSE "$NGINX_DIR.new/"
    rm -rf "$NGINX_DIR" "$work"
    mv "$NGINX_DIR.new" "$NGINX_DIR"
}

need_nginx() {
    if [ -e "$NGINX_DIR/nginx.exe" ]; then
        say "  nginx $NGINX_VERSION for Windows: there"
        return
    fi
    need_debian_archive
    step "nginx $NGINX_VERSION (source from Debian 13)" fetch_nginx
    step "nginx $NGINX_VERSION for Windows (build)" build_nginx
}
