// SPDX-License-Identifier: MIT OR Apache-2.0
// Not tested. Needs Qt's D-Bus module: c++ sensitivity.cpp $(pkg-config --cflags --libs Qt6DBus)
#include <QDBusConnection>
#include <QDBusInterface>
#include <QDBusReply>
#include <QVariantMap>

int main() {
    QDBusInterface maccel("org.vespera.Agent1", "/org/vespera/Agent1",
                          "org.vespera.Agent1.Maccel", QDBusConnection::systemBus());
    qInfo() << "before:" << maccel.property("SensMult").toDouble();
    QDBusReply<void> reply = maccel.call("Set", QVariantMap{{"SensMult", 1.25}});
    if (!reply.isValid())
        return qCritical() << reply.error().name() << reply.error().message(), 1;
    qInfo() << "now:" << maccel.property("SensMult").toDouble();
}
