//! The program itself, and the topics.

use super::{help, topic};

#[test]
fn program() {
    snapshot!(help(""), @r"
    exit 0
    --- stdout
    WeChat Pay (微信支付) APIv3 from the shell: call any endpoint, signed and verified

    Credentials come from WECHATPAY_* variables or a profile of config.toml, never from an argument.
    With --sandbox, every command runs against an offline platform and needs no account.

    Usage: wxpay [OPTIONS] <COMMAND>

    Commands:
      get          Call an endpoint with GET
      post         Call an endpoint with POST
      put          Call an endpoint with PUT
      patch        Call an endpoint with PATCH
      delete       Call an endpoint with DELETE
      upload       Upload a file; the signature covers its meta part
      batch        Run many calls, one JSON object per line, with a crash-safe journal of the results
      bill         Download a bill and check its digest
      certs        Download the platform certificates, verified and decrypted with the APIv3 key
      verify       Verify a saved notification or response: its timestamp, serial and signature
      decrypt      Verify a saved notification, then decrypt its resource with the APIv3 or APIv2 key
      sign         Sign the bytes from stdin with the merchant private key; print the signature
      doctor       Check configuration, keys, certificates, network, clock and a signed call; print a
                   fix for each failure
      config       Write, list and find the profiles of config.toml
      endpoints    Search the documented endpoints, and show one with its fields and as code
      sandbox      Run an offline WeChat Pay platform for any SDK, until Ctrl-C
      trigger      Send the notification of any documented event to your receiver, signed and encrypted
                   by a sandbox
      completions  Print a completion script for a shell
      man          Print a manual page (roff) of the program or of a command
      help         Print the help of a command or of a topic
      version      Print the version

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --sandbox
              Run against an offline platform that is started for this command; no account is needed

          --profile <NAME>
              Use this profile of config.toml instead of the environment [default: WXPAY_PROFILE]

          --config <FILE>
              Use this configuration file instead of the default config.toml

          --base-url <URL>
              Use this base URL instead of the configured one

          --timeout <SECONDS>
              Time limit of a call with all its attempts, in seconds [default: the configured one, or
              30]

          --color <WHEN>
              When to colour and indent JSON: auto, always or never

              [default: auto]

          --compact
              Print JSON on one line, also on a terminal

          --pretty
              Indent JSON, also in a pipe

      -v, --verbose...
              Print each request to stderr: its line and host, the attempts, the time and the
              Request-ID; -vv also headers and bodies, without secrets

          --json-errors
              Print errors as one line of JSON

    Examples:
      wxpay --sandbox post v3/security/echo echo_message=你好
      wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109
      wxpay post v3/payscore/partner/permissions/terminate -d @body.json
      wxpay doctor

    Topics:
      wxpay help environment  environment variables and the keys of a profile
      wxpay help profiles     config.toml, and where the credentials come from
      wxpay help exit-codes   exit codes of all commands, and of batch
      wxpay help outcomes     outcomes of the calls of a batch

    Environment variables:
      WECHATPAY_MCHID                   merchant number
      WECHATPAY_SERIAL                  serial of the merchant API certificate
      WECHATPAY_CERTIFICATE             merchant API certificate, instead of its serial
      WECHATPAY_PRIVATE_KEY             merchant private key: PEM text or file:// path (secret)
      WECHATPAY_PASSPHRASE              passphrase of the private key or the .p12 file (secret)
      WECHATPAY_P12                     path of apiclient_cert.p12, instead of private key and
                                        certificate
      WECHATPAY_PUBLIC_KEY_ID           ID of the WeChat Pay public key (PUB_KEY_ID_…)
      WECHATPAY_PUBLIC_KEY              WeChat Pay public key
      WECHATPAY_PLATFORM_SERIAL         serial of the platform certificate
      WECHATPAY_PLATFORM_CERTIFICATE    platform certificate
      WECHATPAY_AUTOMATIC_CERTIFICATES  1: download and renew the platform certificates
      WECHATPAY_APIV3_KEY               APIv3 key, 32 bytes (secret)
      WECHATPAY_APIV2_KEY               APIv2 key, 32 bytes (secret)
      WECHATPAY_BASE_URL                base URL (default: api.mch.weixin.qq.com)
      WECHATPAY_ALLOW_HTTP              1: permit a base URL with http:// on another machine
      WECHATPAY_TIMEOUT                 time limit of a call with all its attempts, in seconds (default:
                                        30)
      WECHATPAY_SANDBOX_KEYS            folder that keeps the sandbox's keys (default: new keys for each
                                        run)
      WXPAY_PROFILE                     profile of config.toml, as --profile
      NO_COLOR                          not empty: no colours, unless --color asks for them
      Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

    Profiles:
      A profile is a table of config.toml: [default], unless --profile or WXPAY_PROFILE names another.
      Its keys are the names of the variables in lower case, without WECHATPAY_ (such as mchid).
      The file is ~/.config/wxpay/config.toml, on Windows %APPDATA%\wxpay\config.toml.
      Without --profile, WXPAY_PROFILE and --config, it is used only if WECHATPAY_MCHID is not set.
      `wxpay config init` asks for the values and writes them.

    Exit codes:
      0    success
      1    wrong argument, setting, key or file; or output that cannot be written
      2    the platform refused the call: see its code
      3    safe to repeat later: no connection, a rate limit, or a GET that failed
      4    not the platform's word, or cannot be decrypted; a write may have been carried out
      5    a write was sent and its result is unknown: query it before you repeat it
      6    `--check` found something to look at; nothing was sent
      129  ended by SIGHUP: the terminal was closed
      130  ended by Ctrl-C
      143  ended by SIGTERM
    --- stderr
    ");
}

#[test]
fn environment() {
    snapshot!(topic("environment"), @"
    exit 0
    --- stdout
    Environment variables:
      WECHATPAY_MCHID                   merchant number
      WECHATPAY_SERIAL                  serial of the merchant API certificate
      WECHATPAY_CERTIFICATE             merchant API certificate, instead of its serial
      WECHATPAY_PRIVATE_KEY             merchant private key: PEM text or file:// path (secret)
      WECHATPAY_PASSPHRASE              passphrase of the private key or the .p12 file (secret)
      WECHATPAY_P12                     path of apiclient_cert.p12, instead of private key and
                                        certificate
      WECHATPAY_PUBLIC_KEY_ID           ID of the WeChat Pay public key (PUB_KEY_ID_…)
      WECHATPAY_PUBLIC_KEY              WeChat Pay public key
      WECHATPAY_PLATFORM_SERIAL         serial of the platform certificate
      WECHATPAY_PLATFORM_CERTIFICATE    platform certificate
      WECHATPAY_AUTOMATIC_CERTIFICATES  1: download and renew the platform certificates
      WECHATPAY_APIV3_KEY               APIv3 key, 32 bytes (secret)
      WECHATPAY_APIV2_KEY               APIv2 key, 32 bytes (secret)
      WECHATPAY_BASE_URL                base URL (default: api.mch.weixin.qq.com)
      WECHATPAY_ALLOW_HTTP              1: permit a base URL with http:// on another machine
      WECHATPAY_TIMEOUT                 time limit of a call with all its attempts, in seconds (default:
                                        30)
      WECHATPAY_SANDBOX_KEYS            folder that keeps the sandbox's keys (default: new keys for each
                                        run)
      WXPAY_PROFILE                     profile of config.toml, as --profile
      NO_COLOR                          not empty: no colours, unless --color asks for them
      Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
    --- stderr
    ");
}

#[test]
fn profiles() {
    snapshot!(topic("profiles"), @r"
    exit 0
    --- stdout
    Profiles:
      A profile is a table of config.toml: [default], unless --profile or WXPAY_PROFILE names another.
      Its keys are the names of the variables in lower case, without WECHATPAY_ (such as mchid).
      The file is ~/.config/wxpay/config.toml, on Windows %APPDATA%\wxpay\config.toml.
      Without --profile, WXPAY_PROFILE and --config, it is used only if WECHATPAY_MCHID is not set.
      `wxpay config init` asks for the values and writes them.

    Keys of a profile:
      mchid                   merchant number
      serial                  serial of the merchant API certificate
      certificate             merchant API certificate, instead of its serial
      private_key             merchant private key: PEM text or file:// path
      passphrase              passphrase of the private key or the .p12 file
      p12                     path of apiclient_cert.p12, instead of private key and certificate
      public_key_id           ID of the WeChat Pay public key (PUB_KEY_ID_…)
      public_key              WeChat Pay public key
      platform_serial         serial of the platform certificate
      platform_certificate    platform certificate
      automatic_certificates  1: download and renew the platform certificates
      apiv3_key               APIv3 key, 32 bytes
      apiv2_key               APIv2 key, 32 bytes
      base_url                base URL (default: api.mch.weixin.qq.com)
      allow_http              1: permit a base URL with http:// on another machine
      timeout                 time limit of a call with all its attempts, in seconds (default: 30)
    --- stderr
    ");
}

#[test]
fn exit_codes() {
    snapshot!(topic("exit-codes"), @"
    exit 0
    --- stdout
    Exit codes of every command but batch:
      0    success
      1    wrong argument, setting, key or file; or output that cannot be written
      2    the platform refused the call: see its code
      3    safe to repeat later: no connection, a rate limit, or a GET that failed
      4    not the platform's word, or cannot be decrypted; a write may have been carried out
      5    a write was sent and its result is unknown: query it before you repeat it
      6    `--check` found something to look at; nothing was sent
      129  ended by SIGHUP: the terminal was closed
      130  ended by Ctrl-C
      143  ended by SIGTERM

    Exit codes of batch:
      0    every call is `ok`
      1    wrong argument, line, setting or journal: no call can be sent until it is fixed
      2    some calls are `refused`
      3    some calls are left (`limited`, `unsent`, not begun): `--resume` later; or the journal failed
      4    some calls are `unverified`: query them
      5    some calls are `unknown`, all others are done: query them
      6    `--check` found something to look at; nothing was sent
      129  SIGHUP, and some calls are left
      130  Ctrl-C, and some calls are left
      143  SIGTERM, and some calls are left
    --- stderr
    ");
}

#[test]
fn outcomes() {
    snapshot!(topic("outcomes"), @"
    exit 0
    --- stdout
    Outcomes:
      ok          success, verified; never sent again
      refused     the platform's own error: verified, or its JSON with a code; never sent again
      limited     rejected by a rate limit, so not carried out; --resume sends it
      unsent      not carried out: no connection, or 401; --resume sends it
      unknown     possibly carried out; --resume repeats a GET, --repeat-unknown all others
      unverified  not the platform's word, possibly carried out; as unknown
    --- stderr
    ");
}
