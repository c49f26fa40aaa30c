import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;

/** Turns a bundle of PEM certificates into the trust store that Java reads: MakeTrustStore BUNDLE STORE. */
public final class MakeTrustStore {
    public static void main(String[] arguments) throws Exception {
        // The password that Java itself uses: it guards against accidents, the certificates are public.
        char[] password = "changeit".toCharArray();
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, password);
        try (InputStream bundle = new FileInputStream(arguments[0])) {
            int number = 0;
            for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                store.setCertificateEntry("system-" + number++, certificate);
            }
        }
        try (OutputStream out = new FileOutputStream(arguments[1])) {
            store.store(out, password);
        }
    }
}
